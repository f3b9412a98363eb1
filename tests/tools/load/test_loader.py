import asyncio
import stat
from pathlib import Path

import polars as pl
import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from tools.cardmembers import Cardmember, fetch_members
from tools.errors import DatabaseUnavailable, InputInvalid, SettingInvalid
from tools.load import LoadProgress, load_file
from tools.sample import sample_members


def documents(frame: pl.DataFrame) -> bytes:
    lines = frame.write_ndjson().strip().splitlines()
    return ("[\n" + ",\n".join(lines) + "\n]").encode()


WRITERS = {
    "members.csv": lambda frame: frame.write_csv().encode(),
    "MEMBERS.CSV": lambda frame: b"\xef\xbb\xbf" + frame.write_csv(line_terminator="\r\n").encode(),
    "members.jsonl": lambda frame: frame.write_ndjson().encode(),
    "members.json": documents,
    "one_line.json": lambda frame: documents(frame).replace(b"\n", b""),
}


@pytest.mark.parametrize("name", [*WRITERS, "members.parquet"])
async def test_a_sample_read_from_a_file_and_the_table_equals_the_sample(
    rejects, name, load, postgres_url, table, tmp_path
) -> None:
    frame = sample_members(300, seed=11)
    if name in WRITERS:
        content = WRITERS[name](frame)
    else:
        frame.write_parquet(tmp_path / "out")
        content = (tmp_path / "out").read_bytes()
    report = await load(content, name)
    assert (report.rows_read, report.inserted, report.rows_rejected, report.warnings) == (300, 300, 0, ())
    assert rejects(report) == []
    async with AsyncConnectionPool(postgres_url, min_size=1, open=False) as pool:
        found = await fetch_members(pool, frame["user_id"].to_list(), table=table)
    assert found == {row["user_id"]: Cardmember(**row) for row in frame.to_dicts()}


async def test_a_second_load_updates_what_changed_and_adds_what_is_new(csv_text, load, held, good) -> None:
    await load(csv_text({**good, "user_id": "A"}, {**good, "user_id": "B"}))
    report = await load(
        csv_text({**good, "user_id": "A"}, {**good, "user_id": "B", "age": "77"}, {**good, "user_id": "C"})
    )
    assert (report.inserted, report.updated, report.unchanged, report.rows_loaded) == (1, 1, 1, 3)
    assert {user_id: row["age"] for user_id, row in held().items()} == {"A": 41, "B": 77, "C": 41}


async def test_the_last_row_of_a_user_wins_and_the_others_are_reported(csv_text, rejects, load, held, good) -> None:
    rows = [{**good, "user_id": "A", "age": age} for age in ("30", "31", "32")]
    report = await load(csv_text(*rows, {**good, "user_id": "B"}))
    assert (report.rows_read, report.inserted, report.duplicates, report.rows_rejected) == (4, 2, 2, 0)
    assert held()["A"]["age"] == 32
    reason = "repeated on line 4; the last row was loaded"
    assert rejects(report) == [(2, "user_id", "A", reason), (3, "user_id", "A", reason)]


async def test_the_last_row_wins_in_a_file_of_one_line_too(load, held, good) -> None:
    frame = sample_members(30)
    twice = pl.concat([frame, frame.with_columns(tenure_years=pl.lit(1, dtype=pl.Int32))])
    report = await load(documents(twice).replace(b"\n", b""), "one.json")
    assert (report.inserted, report.duplicates) == (30, 30)
    assert {row["tenure_years"] for row in held().values()} == {1}


async def test_without_an_email_column_the_emails_held_stay(csv_text, load, held, good) -> None:
    header = (*good, "email")
    await load(csv_text({**good, "email": "a@example.com"}, header=header))
    await load(csv_text({**good, "age": "50"}))
    assert held()[good["user_id"]]["email"] == "a@example.com"
    await load(csv_text({**good, "email": ""}, header=header))
    assert held()[good["user_id"]]["email"] is None


async def test_progress_runs_to_the_files_end_and_counts_rows(csv_text, load, good) -> None:
    told: list[LoadProgress] = []
    report = await load(csv_text(good, {**good, "user_id": "B", "age": "x"}), progress=told.append)
    assert [step.phase for step in told] == ["reading", "upserting", "done"]
    assert told[-1] == LoadProgress("done", told[-1].total, report.path.stat().st_size, 2, 1)


async def test_a_raising_progress_loads_nothing_and_leaves_no_file(csv_text, load, held, good, tmp_path) -> None:
    class Stop(Exception):
        pass

    def stop(progress: LoadProgress) -> None:
        if progress.phase == "upserting":
            raise Stop

    with pytest.raises(Stop):
        await load(csv_text(good, {**good, "age": "x"}), progress=stop)
    assert held() == {}
    assert list((tmp_path / "rejects").iterdir()) == []


async def test_a_cancelled_load_loads_nothing(load, held, monkeypatch) -> None:
    monkeypatch.setattr("tools.load.loader.BATCH_ROWS", 500)
    reading = asyncio.Event()
    content = sample_members(3_000).write_csv()
    task = asyncio.create_task(load(content, progress=lambda _: reading.set()))
    await reading.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert held() == {}


async def test_the_loop_keeps_turning_while_a_file_loads(load) -> None:
    task = asyncio.create_task(load(sample_members(5_000).write_csv()))
    turns = 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await task).inserted == 5_000
    assert turns > 100


async def test_two_loads_of_one_table_at_once_both_succeed(load, held) -> None:
    frame = sample_members(2_000)
    one, other = await asyncio.gather(
        load(frame.write_csv(), "one.csv"), load(frame.reverse().write_csv(), "other.csv")
    )
    assert sorted([one.inserted, other.inserted]) == [0, 2_000]
    assert sorted([one.unchanged, other.unchanged]) == [0, 2_000]
    assert len(held()) == 2_000


async def test_an_existing_table_with_other_types_takes_the_rows(
    csv_text, load, held, good, postgres_url, table
) -> None:
    with psycopg.connect(postgres_url) as conn:
        columns = ", ".join(f"{name} {'varchar(40) primary key' if name == 'user_id' else 'text'}" for name in good)
        conn.execute(f"create table {table} ({columns}, extra text default 'kept')")
    report = await load(csv_text(good))
    assert report.inserted == 1
    assert held()[good["user_id"]]["extra"] == "kept"
    assert held()[good["user_id"]]["card_type"] == "Gold"


@pytest.mark.parametrize(
    ("ddl", "message"),
    [
        ("create table {table} (like {table}_full)", "no unique or exclusion constraint"),
        ("create table {table} (user_id text primary key)", "does not exist"),
    ],
)
async def test_a_table_that_cannot_take_the_rows_is_named(
    csv_text, ddl, message, load, good, postgres_url, table
) -> None:
    with psycopg.connect(postgres_url) as conn:
        columns = ", ".join(f"{name} text" for name in good)
        conn.execute(f"create table {table}_full ({columns})")
        conn.execute(ddl.format(table=table))
    with pytest.raises(SettingInvalid, match=rf"table '{table}'.*members\.csv.*{message}"):
        await load(csv_text(good))


async def test_a_dead_server_is_database_unavailable(csv_text, tmp_path: Path, good) -> None:
    path = tmp_path / "members.csv"
    path.write_text(csv_text(good))
    with pytest.raises(DatabaseUnavailable, match=r"members\.csv was not loaded"):
        await load_file(f"host={tmp_path}", path, table="t")


async def test_a_missing_file_and_an_unknown_kind_are_refused(load, tmp_path: Path) -> None:
    with pytest.raises(InputInvalid, match="no such file"):
        await load_file("", tmp_path / "none.csv", table="t")
    with pytest.raises(InputInvalid, match=r"can't load \.xlsx; expected \.csv, \.parquet, \.json or \.jsonl"):
        await load("", "members.xlsx")


async def test_the_rejects_file_is_private_and_goes_when_a_later_load_has_none(csv_text, load, good) -> None:
    report = await load(csv_text({**good, "age": "x"}))
    assert report.rejects_path is not None
    assert stat.S_IMODE(report.rejects_path.stat().st_mode) == 0o600
    clean = await load(csv_text(good))
    assert clean.rejects_path is None
    assert not report.rejects_path.exists()


async def test_without_a_rejects_folder_rejects_are_counted(csv_text, postgres_url, table, good, tmp_path) -> None:
    path = tmp_path / "members.csv"
    path.write_text(csv_text({**good, "age": "x", "gender": "y"}, good))
    report = await load_file(postgres_url, path, table=table)
    assert (report.rows_rejected, report.cells_rejected, report.rejects_path) == (1, 2, None)
    assert report.reasons == (("age", "not a whole number", 1), ("gender", "expected one of M, F, Other", 1))
    assert [item.name for item in tmp_path.iterdir()] == ["members.csv"]


async def test_a_column_of_percents_is_warned_of(csv_text, load, good) -> None:
    rows = [{**good, "user_id": f"U{place}", "spend_change_pct_90d": str(place)} for place in range(9)]
    report = await load(csv_text(*rows))
    assert report.rows_rejected == 7
    assert report.warnings == (
        "spend_change_pct_90d holds percents in 7 of 9 rows; rows with small values were loaded as fractions: "
        "divide the column by 100 and load the file again",
    )
