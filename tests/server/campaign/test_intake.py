import asyncio
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as some

from server.campaign.intake import TakenIn, take_in
from tests.server.campaign.files import COLUMNS, Row, row, spec, write
from tests.tools.ledger.conftest import process
from tests.tools.ledger.rows import rows
from tools.database import Database
from tools.errors import InputInvalid

HEAD = ",".join(COLUMNS)
ITEMS = """
select row_no, user_id, domain, confidence, offer_flag, prediction_timestamp, idempotency_key, use_llm, prediction_key
from offer_item where campaign_id = {} and status = 'pending' and attempt = 0 order by row_no
"""
REJECTS = "select row_no, user_id, reason from campaign_reject where campaign_id = {} order by row_no"


async def items(database: Database, taken: TakenIn) -> list[Any]:
    return await rows(database, ITEMS.format(taken.campaign.campaign_id))


async def rejects(database: Database, taken: TakenIn) -> list[Any]:
    return await rows(database, REJECTS.format(taken.campaign.campaign_id))


async def nothing(database: Database) -> bool:
    """Tell whether the ledger has no campaign of a file, and no table for the items of one."""
    found = await rows(
        database,
        "select (select count(*) from campaign where state <> 'open'), (select count(*) from campaign_reject),"
        " (select count(*) from pg_class where relname ~ '^offer_item_c[0-9]+$'), (select count(*) from budget)",
    )
    return found == [(0, 0, 0, 0)]


async def refused(database: Database, path: Path) -> str:
    """Return why a file can't be taken in; nothing may be left of it."""
    with pytest.raises(InputInvalid) as error:
        await take_in(database, spec(), path)
    assert await nothing(database)
    return str(error.value)


async def test_a_file_becomes_items_rejects_a_budget_and_a_partition(database: Database, tmp_path: Path) -> None:
    made = [row("A"), row("B", confidence_score=1.5), row("C", offer_flag=0), row("A"), row("B", domain="Dining")]
    taken = await take_in(database, spec(), write(tmp_path / "scores.csv", made))
    campaign = taken.campaign
    assert (campaign.state, campaign.input_name, campaign.input_rows) == ("created", "scores.csv", 5)
    assert (campaign.spec, taken.items, taken.rejected, taken.new) == (spec().model_dump(mode="json"), 3, 2, True)
    assert [found[:5] for found in await items(database, taken)] == [
        (1, "A", "Travel", 0.9, 1),
        (3, "C", "Travel", 0.9, 0),
        (5, "B", "Dining", 0.9, 1),
    ]
    bad = "confidence_score is 1.5: Input should be less than or equal to 1"
    assert await rejects(database, taken) == [(2, "B", bad), (4, "A", "the same prediction as row 1, which counts")]
    assert taken.reasons == (f"row 2: {bad}", "row 4: the same prediction as row 1, which counts")
    held = "select tableoid::regclass::text, count(*) from offer_item group by 1"
    assert await rows(database, held) == [(f"offer_item_c{campaign.campaign_id}", 3)]
    money = "select b.scope, b.name, limit_usd, used_usd, most_usd from budget b join budget_use using (campaign_id)"
    assert await rows(database, money) == [("campaign", "", 100, 0, 100)]


BAD: tuple[Row, ...] = (
    row("", domain="Travel"),
    row("X", domain="Yachts"),
    row("X", confidence_score=-0.5),
    row("X", confidence_score=None),
    row("X", offer_flag=7),
    row("N\0UL"),
)
ANY_ROW = some.one_of(
    some.builds(
        row,
        some.sampled_from(["A", "B", "C", "Zoë", 'D "quoted", so', "back\\slash", "\\N", "two\nlines", "t\tab"]),
        domain=some.sampled_from(["Travel", "Dining"]),
        confidence_score=some.floats(0, 1),
        prediction_timestamp=some.sampled_from([None, "2026-11-20T00:00:00Z", "2026-11-20T01:00:00+01:00"]),
        idempotency_key=some.sampled_from([None, "k1"]),
    ),
    some.sampled_from(BAD),
)


@given(made=some.lists(ANY_ROW, min_size=1, max_size=12))
@property_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_each_row_is_an_item_or_a_reject_and_formats_agree(database_url: str, made: list[Row]) -> None:
    good = [found for found in made if found not in BAD]

    async def take_all() -> None:
        async with process(database_url) as database:
            if not good:
                return
            seen = []
            for suffix in (".csv", ".jsonl", ".parquet"):
                with tempfile.TemporaryDirectory() as folder:
                    path = write(Path(folder) / f"scores{suffix}", made)
                    campaign = f"c{abs(hash((suffix, repr(made)))) % 10**12}"
                    taken = await take_in(database, spec(campaign), path)
                assert taken.items + taken.rejected == taken.campaign.input_rows == len(made)
                held, bad = await items(database, taken), await rejects(database, taken)
                assert (len(held), len(bad)) == (taken.items, taken.rejected)
                assert sorted([found[0] for found in held] + [found[0] for found in bad]) == [*range(1, len(made) + 1)]
                assert taken.items == len({found[-1] for found in held})
                seen.append((held, [found[0] for found in bad]))
            assert seen[0] == seen[1] == seen[2]
            wrong = {number for number, found in enumerate(made, start=1) if found in BAD}
            assert wrong <= set(seen[0][1])
            assert all(made[number - 1] in good for number, *_ in seen[0][0])

    asyncio.run(take_all())


async def test_a_stray_quote_costs_its_own_line_alone(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "scores.csv"
    lines = [HEAD, "A,Travel,0.9,,,", '"B,Travel,0.9,,,', "C,Travel,0.9,,,", "", "D,Travel,0.9,,,,", "E,Travel,0.9,,,"]
    path.write_text("\r\n".join(lines), encoding="utf-8-sig")
    taken = await take_in(database, spec(), path)
    assert [found[:2] for found in await items(database, taken)] == [(1, "A"), (3, "C"), (5, "E")]
    assert await rejects(database, taken) == [
        (2, "", "line 3: not CSV: a quote is opened and not closed"),
        (4, "", "7 cells for 6 columns"),
    ]


async def test_bytes_and_lines_that_are_no_text_are_rejects(database: Database, tmp_path: Path) -> None:
    csv_path, json_path = tmp_path / "scores.csv", tmp_path / "scores.jsonl"
    csv_path.write_bytes(f"{HEAD}\nA,Travel,0.9,,,\nB\xe9,Travel,0.9,,,\nC\0,Travel,0.9,,,\n".encode("latin-1"))
    taken = await take_in(database, spec("of_csv"), csv_path)
    told = "line 3: not UTF-8 (byte 0xe9 at character 2); save the file as UTF-8"
    assert [found[:2] for found in await items(database, taken)] == [(1, "A")]
    assert [(found[0], found[2]) for found in await rejects(database, taken)] == [
        (2, told),
        (3, r"user_id is 'C\x00': String should match pattern '^[^\x00]*$'"),
    ]
    assert taken.reasons[0] == f"row 2: {told}"
    good = b'{"user_id": "A", "domain": "Travel", "confidence_score": 0.9}'
    lone = good.replace(b'"A"', b'"\\ud800"')
    deep = b"[" * 100_000
    json_path.write_bytes(b"\n".join([good, b"\xff", lone, b"{", b'"text"', b"7", b"", deep, b"NaN"]))
    taken = await take_in(database, spec("of_json"), json_path)
    assert [found[:2] for found in await items(database, taken)] == [(1, "A")]
    assert [(found[0], found[2][:40]) for found in await rejects(database, taken)] == [
        (2, "line 2: not UTF-8 (byte 0xff at characte"),
        (3, "user_id is '\\ud800': Input should be a v"),
        (4, "line 4: not JSON, or only a text"),
        (5, "line 5: not JSON, or only a text"),
        (6, "line 6: not a JSON object with a predict"),
        (7, "line 8: not JSON, or only a text"),
        (8, "line 9: not a JSON object with a predict"),
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", b"", "a.csv: it is empty"),
        ("a.csv", HEAD.encode(), "there is no row in it"),
        ("a.csv", b"user_id,domain\nA,Travel\n", "the header lacks confidence_score; it has user_id, domain"),
        ("a.csv", b"user_id,user_id,domain,confidence_score\n", "the header has user_id twice"),
        ("a.csv", b'"user_id,domain\n', "its header, line 1, is not CSV"),
        ("a.csv", HEAD.encode("utf-16"), "The first line names the columns, in UTF-8"),
        ("a.csv", f"{HEAD}\nA,Yachts,0.9,,,\n".encode(), "none of its 1 rows is a prediction; row 1: domain is 'Yac"),
        ("a.jsonl", b"\n\n", "there is no row in it"),
        ("a.parquet", b"PAR1 and nothing else", "a.parquet: not a readable Parquet file"),
        ("a.txt", b"x", "can't read predictions from .txt; use .csv, .jsonl, .parquet"),
        ("a", b"x", "a file without suffix"),
    ],
)
async def test_what_is_no_file_of_predictions_leaves_nothing(
    database: Database, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert words in await refused(database, tmp_path / name)


async def test_parquet_without_a_column_and_a_missing_file_leave_nothing(database: Database, tmp_path: Path) -> None:
    pl.DataFrame({"user_id": ["A"]}).write_parquet(tmp_path / "a.parquet")
    assert "there is no column domain, confidence_score; it has user_id" in await refused(
        database, tmp_path / "a.parquet"
    )
    assert "can't be read (No such file or directory)" in await refused(database, tmp_path / "b.csv")
    assert "it is a folder; give one file of predictions" in await refused(database, _folder(tmp_path / "c.csv"))


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
async def test_a_file_that_changes_while_it_is_read_leaves_nothing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    monkeypatch.setattr("server.campaign.rows.BATCH_ROWS", 1)
    path = write(tmp_path / f"scores{suffix}", [row("A"), row("B")])

    def change(_: int, __: float) -> None:
        path.write_bytes(path.read_bytes() + b"\n")

    with pytest.raises(InputInvalid, match="it was changed while it was read"):
        await take_in(database, spec(), path, progress=change)
    assert await nothing(database)


async def test_the_same_again_changes_nothing_and_another_is_refused(database: Database, tmp_path: Path) -> None:
    path = write(tmp_path / "scores.csv", [row("A"), row("A")])
    first = await take_in(database, spec(), path)
    again = await take_in(database, spec(), path)
    assert (first.new, again.new, again.campaign) == (True, False, first.campaign)
    assert (again.items, again.rejected, again.reasons) == (1, 1, first.reasons)
    with pytest.raises(InputInvalid, match=r"not this one: budget_usd 100\.00 then, 50\.00 now"):
        await take_in(database, spec(budget_usd="50"), path)
    other = write(tmp_path / "other.csv", [row("B")])
    with pytest.raises(InputInvalid, match=r"the file scores\.csv \(sha256 \w{12}\) then, other\.csv \(\w{12}\) now"):
        await take_in(database, spec(), other)
    with pytest.raises(InputInvalid, match="single requests belong to it"):
        await take_in(database, spec("online"), path)
    assert len(await rows(database, "select 1 from campaign where state <> 'open'")) == 1


async def test_of_two_that_create_one_name_at_once_one_wins(database_url: str, tmp_path: Path) -> None:
    same = write(tmp_path / "scores.csv", [row(f"U{n}") for n in range(50)])
    other = write(tmp_path / "other.csv", [row("B")])
    async with process(database_url) as one, process(database_url) as two, process(database_url) as three:
        taken = await asyncio.gather(take_in(one, spec(), same), take_in(two, spec(), same))
        assert sorted(found.new for found in taken) == [False, True]
        assert taken[0].campaign == taken[1].campaign and {found.items for found in taken} == {50}
        both = await asyncio.gather(
            take_in(one, spec("summer"), same), take_in(three, spec("summer"), other), return_exceptions=True
        )
    lost = [found for found in both if isinstance(found, InputInvalid)]
    won = [found for found in both if isinstance(found, TakenIn)]
    assert (len(lost), len(won)) == (1, 1)
    assert "there is a campaign of that name, and not this one: the file" in str(lost[0])


async def test_others_may_create_at_the_same_time(database_url: str, tmp_path: Path) -> None:
    path = write(tmp_path / "scores.csv", [row(f"U{n}") for n in range(50)])
    async with process(database_url) as one, process(database_url) as two:
        taken = await asyncio.gather(*(take_in(one if n % 2 else two, spec(f"c{n}"), path) for n in range(6)))
        held = "select tableoid::regclass::text, count(*) from offer_item group by 1 order by 1"
        assert await rows(one, held) == sorted((f"offer_item_c{of.campaign.campaign_id}", 50) for of in taken)


async def test_cancelled_midway_nothing_is_left_and_the_name_is_free(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.campaign.rows.BATCH_ROWS", 10)
    path = write(tmp_path / "scores.csv", [row(f"U{n}") for n in range(25)])
    heard: list[int] = []

    def cancel(done: int, _: float) -> None:
        heard.append(done)
        taking.cancel()

    taking = asyncio.create_task(take_in(database, spec(), path, progress=cancel))
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert (heard, await nothing(database)) == ([10], True)
    taken = await take_in(database, spec(), path, progress=lambda done, share: heard.append(done))
    assert (taken.new, taken.items, taken.rejected, heard) == (True, 25, 0, [10, 10, 20, 25])
