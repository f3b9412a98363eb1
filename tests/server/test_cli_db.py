import json
import os
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from graph.schemas import OfferInput
from tests.server.commands import Offers, run_here


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name, value in {"DATABASE_URL": database_url, "DATA_DIR": "data", "OUTPUT_DIR": "output"}.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def one(url: str, query: str) -> tuple[object, ...]:
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return tuple(row)


def test_sample_members_load_and_load_again_unchanged(offers: Offers, database_url: str) -> None:
    assert "60 of 60 rows are in table cardmember: 60 new" in offers("db", "sample", "--n", "60").told
    again = offers("db", "sample", "--n", "60")
    assert (again.code, "0 new, 0 changed, 60 as before" in again.told) == (0, True)
    assert one(database_url, "select count(*) from cardmember") == (60,)
    assert one(database_url, "select count(*) from cardmember_snapshot") == (0,)


@pytest.mark.parametrize("name", ["members.csv", "members.parquet"])
def test_a_written_sample_loads_and_notes_the_time_of_the_export(offers: Offers, database_url: str, name: str) -> None:
    assert offers("db", "sample", "--n", "40", "--seed", "9", "--out", name).code == 0
    os.utime(name, (1_790_000_000, 1_790_000_000))
    ran = offers("db", "load", name)
    assert (ran.code, "40 new" in ran.told) == (0, True)
    assert one(database_url, "select table_name, taken_at from cardmember_snapshot") == (
        "cardmember",
        datetime.fromtimestamp(1_790_000_000, UTC),
    )
    assert offers("db", "load", name, "--as-of", "2026-09-30").code == 0
    assert one(database_url, "select taken_at from cardmember_snapshot") == (datetime(2026, 9, 30, tzinfo=UTC),)


def test_bad_rows_are_told_and_kept_in_a_rejects_file(offers: Offers, database_url: str, tmp_path: Path) -> None:
    offers("db", "sample", "--n", "40", "--out", "members.csv")
    lines = Path("members.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    assert lines[1].startswith("USER_000000,") and ",Gold," in lines[1]
    Path("members.csv").write_text("".join([lines[0], lines[1].replace(",Gold,", ",Tin,"), *lines[2:]]), "utf-8")
    ran = offers("db", "load", "members.csv", "--table", "pilot")
    assert ran.code == 0
    assert "39 of 40 rows are in table pilot" in ran.told and "expected one of Basic, Gold, Platinum" in ran.told
    rejects = tmp_path / "output" / "rejects" / "members.csv.rejects.csv"
    assert f"rejects: {Path('output/rejects/members.csv.rejects.csv')}" in ran.told
    assert rejects.read_text(encoding="utf-8").splitlines()[1].startswith("2,card_type,Tin,")
    assert one(database_url, "select table_name from cardmember_snapshot") == ("pilot",)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["db", "load", "nope.csv"], "nope.csv: no such file"),
        (["db", "load", "members.txt"], "no such file"),
        (["db", "sample", "--out", "x.txt"], "use .csv or .parquet"),
        (["db", "sample", "--table", "a.b.c"], "is no table name"),
        (["db", "predictions", "--out", "p.json"], "holds no members to predict for"),
        (["db", "load", "nope.csv", "--as-of", "2999-01-01"], "lies in the future"),
    ],
)
def test_an_expected_fault_is_one_line_on_standard_error(offers: Offers, arguments: list[str], told: str) -> None:
    ran = offers(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("error: ") and told in ran.err and "Traceback" not in ran.err


def test_synthetic_members_never_mix_with_an_issuer_s_own(offers: Offers, database_url: str) -> None:
    offers("db", "sample", "--n", "1")
    with psycopg.connect(database_url) as connection:
        connection.execute("update cardmember set name = 'A. Customer'")
    for command in (("db", "sample"), ("demo",)):
        ran = offers(*command)
        assert (ran.code, "CARDMEMBER_TABLE=" in ran.err) == (1, True)
    assert one(database_url, "select count(*), max(name) from cardmember") == (1, "A. Customer")


@pytest.mark.parametrize("name", ["p.json", "p.csv"])
def test_a_prediction_file_is_the_same_for_the_same_seed_and_table(offers: Offers, name: str) -> None:
    from server.commands.predictions import read_predictions

    offers("db", "sample", "--n", "60")
    assert "30 predictions written" in offers("db", "predictions", "--n", "30", "--out", name).told
    first = Path(name).read_bytes()
    offers("db", "predictions", "--n", "30", "--out", name)
    assert Path(name).read_bytes() == first
    items = read_predictions(Path(name))
    assert len({OfferInput.model_validate(item).user_id for item in items}) == 30


def test_erasing_a_person_without_decisions_erases_nothing(offers: Offers) -> None:
    assert offers("db", "erase", "USER_9").told == "USER_9: 0 decisions and 0 exported files erased"


def test_nested_profiles_load_as_members(offers: Offers, database_url: str) -> None:
    profile = {"user_id": "NESTED_1", "profile": {"name": "Ana Diaz", "card_type": "gold", "opt_in_marketing": True}}
    Path("profiles.json").write_text(json.dumps([profile]), encoding="utf-8")
    ran = offers("db", "load", "profiles.json")
    assert ran.code == 0, ran.err + ran.out
    assert one(database_url, "select name, card_type from cardmember") == ("Ana Diaz", "Gold")
