import csv
import io
import shutil
from pathlib import Path

import pytest

from tests.server.campaign.files import row, write
from tests.server.campaign.planted import on_ledger
from tests.server.commands import Offers, Ran
from tests.tools.ledger.rows import rows


def told(ran: Ran) -> str:
    return " ".join((ran.out + ran.err).split())


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Two predictions, a bad row and a repeated one."""
    made = [row("A"), row("=B", domain="Yachts"), row("A"), row("C", confidence_score=0.5)]
    return write(tmp_path / "scores.csv", made)


def create(offers: Offers, path: Path, *more: str, name: str = "spring", budget: str = "100") -> Ran:
    return offers("campaign", "create", name, "--predictions", str(path), "--budget", budget, *more)


def test_creating_tells_what_was_taken_in_and_what_is_next(offers: Offers, database_url: str, scores: Path) -> None:
    more = ("--holdout", "5%", "--engine", "ray", "--personalisation", "individual", "--send-date", "2099-03-01")
    ran = create(offers, scores, *more)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "spring: 2 predictions of scores.csv, 2 rows rejected")
    assert "row 2: domain is 'Yachts': Input should be" in ran.told
    assert ran.out.splitlines()[-1] == "  row 3: the same prediction as row 1, which counts"
    assert "offers campaign rejects spring --to rejects.csv" in ran.err
    assert ran.err.splitlines()[-1] == "next:  offers campaign plan spring"
    made = on_ledger(database_url, lambda database: rows(database, "select spec from campaign where name = 'spring'"))
    assert made[0][0] == {
        "name": "spring", "budget_usd": "100.00", "send_date": "2099-03-01", "engine": "ray",
        "personalisation": "individual", "holdout": 5.0, "variants": {},
    }  # fmt: skip


def test_repeated_it_changes_nothing_and_with_other_terms_it_says_which(offers: Offers, scores: Path) -> None:
    assert create(offers, scores).code == 0
    again = create(offers, scores, budget="100.00")
    assert (again.code, "created of this file before: 2 predictions" in again.told) == (0, True)
    other = create(offers, scores, "--holdout", "10")
    assert (other.code, "holdout 0.0 then, 10.0 now" in told(other)) == (1, True)


def test_repeated_another_day_it_keeps_its_send_date(offers: Offers, database_url: str, scores: Path) -> None:
    assert create(offers, scores).code == 0
    older = "update campaign set spec = spec || '{\"send_date\": \"2020-01-01\"}' where name = 'spring' returning 1"
    on_ledger(database_url, lambda database: rows(database, older))
    assert create(offers, scores).code == 0
    assert create(offers, scores, "--send-date", "2020-01-01").code == 0
    late = create(offers, scores, "--send-date", "2020-01-01", name="summer")
    assert (late.code, "send_date is 2020-01-01: it has passed" in told(late)) == (1, True)


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--variants", "draft=b"), 1, "write PROMPT=VARIANT:PERCENT, for example draft=b:20"),
        (("--variants", "draft=nosuch:20"), 1, "variants gives draft@nosuch a share, but there is no such prompt"),
        (("--variants", "draft=b:5", "--variants", "draft=b:6"), 1, "variants names draft@b twice"),
        (("--holdout", "60%"), 2, "give percent from 0 to 50, for example 5%"),
        (("--holdout", "nan"), 2, "give percent from 0 to 50, for example 5%"),
        (("--engine", "spark"), 2, "'spark' is not one of"),
    ],
)
def test_terms_that_cant_be_are_refused(
    offers: Offers, scores: Path, more: tuple[str, ...], code: int, words: str
) -> None:
    ran = create(offers, scores, *more)
    assert (ran.code, ran.out) == (code, "")
    assert words in " ".join(ran.err.replace("│", " ").split())


def test_names_and_files_that_cant_be_are_refused(offers: Offers, scores: Path, tmp_path: Path) -> None:
    ran = create(offers, scores, name="Spring Sale")
    assert (ran.code, "name is 'Spring Sale': use 2 to 63 small letters, digits, - and _" in told(ran)) == (1, True)
    ran = create(offers, scores, budget="0")
    assert (ran.code, "budget_usd is 0.00: nothing can be offered; give more than 0" in told(ran)) == (1, True)
    ran = create(offers, tmp_path)
    assert (ran.code, "it is a folder; give one file of predictions" in told(ran)) == (1, True)
    ran = create(offers, tmp_path / "none.csv")
    assert (ran.code, "none.csv: can't be read (No such file or directory)" in told(ran)) == (1, True)


def test_shares_of_variants_are_kept(offers: Offers, database_url: str, scores: Path, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    folder = tmp_path / "prompts"
    shutil.copytree(Path(__file__).parents[3] / "prompts", folder)
    (folder / "draft@b.md").write_bytes((folder / "draft.md").read_bytes())
    monkeypatch.setenv("PROMPTS_DIR", str(folder))
    assert create(offers, scores, "--variants", "draft=b:20").code == 0
    asked = "select spec -> 'variants' from campaign where name = 'spring'"
    assert on_ledger(database_url, lambda database: rows(database, asked)) == [({"draft": {"b": 20.0}},)]


def test_rejects_are_written_as_csv_and_shown(offers: Offers, scores: Path, tmp_path: Path) -> None:
    create(offers, scores)
    shown = offers("campaign", "rejects", "spring")
    found = list(csv.DictReader(io.StringIO(shown.out)))
    assert [(each["row_no"], each["user_id"], each["raw"]) for each in found] == [
        ("2", "'=B", "'=B,Yachts,0.9,1,,"),
        ("3", "A", "A,Travel,0.9,1,,"),
    ]
    ran = offers("campaign", "rejects", "spring", "--to", str(tmp_path / "rejects.csv"))
    assert (ran.code, ran.told.startswith("2 rejected rows of spring in ")) == (0, True)
    assert (tmp_path / "rejects.csv").read_bytes().decode() == shown.out
    assert [path.name for path in tmp_path.glob(".*")] == []
    none = offers("campaign", "rejects", "summer")
    assert (none.code, none.out, "there are spring" in told(none)) == (1, "", True)
