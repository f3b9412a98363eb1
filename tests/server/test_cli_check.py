import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graph.settings import Settings
from server.commands.check import MAX_LINE
from tests.server.commands import Offers, Ran, run_here
from tests.standalone_lines import line, text_of

ROOT = Path(__file__).parents[2]
GUARANTEED = line(id="B1", text={"headline": "Guaranteed 3X points on Dining"})


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def replies(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(each) for each in ran.out.splitlines()]


def test_json_is_one_reply_per_line_and_nothing_else(offers: Offers, tmp_path: Path) -> None:
    (tmp_path / "drafts.jsonl").write_text(text_of(line(), "", GUARANTEED), encoding="utf-8")
    ran = offers("check", "drafts.jsonl", "--json", "--no-judge")
    assert ran.code == 0
    assert [(item["id"], item["verdict"], item["judge"]) for item in replies(ran)] == [
        ("A1", "pass", "skipped"), ("B1", "violate", "skipped"),
    ]  # fmt: skip
    assert not (tmp_path / "data").exists()


def test_a_line_that_cannot_be_read_is_told_with_its_number_and_the_rest_is_judged(
    offers: Offers, tmp_path: Path
) -> None:
    lines = [line(), "{broken", line(id="C", offer={"reward_valu": 3}), "x" * (MAX_LINE + 5), GUARANTEED]
    (tmp_path / "drafts.jsonl").write_bytes(text_of(*lines).encode() + b'\xff\n{"id": "end"}')
    ran = offers("check", "drafts.jsonl", "--json", "--no-judge")
    assert ran.code == 1
    told = replies(ran)
    assert [item["verdict"] for item in told] == ["pass", *["unknown"] * 3, "violate", *["unknown"] * 2]
    errors = [item.get("error", "") for item in told]
    assert errors[1].startswith("line 2: not JSON")
    assert errors[2].startswith("line 3: offer.reward_valu: no such field")
    assert errors[3].startswith("line 4: longer than 1,048,576 bytes")
    assert errors[5].startswith("line 6: not UTF-8 text")
    assert (told[6]["id"], errors[6].startswith("line 7: send_date: missing")) == ("end", True)


def test_people_read_verdicts_clauses_quotes_and_a_summary(offers: Offers, tmp_path: Path) -> None:
    unreadable = line(id="C\x1b[31m", offer={"reward_valu": 3})
    (tmp_path / "drafts.jsonl").write_text(text_of(line(), GUARANTEED, unreadable), encoding="utf-8")
    ran = offers("check", "drafts.jsonl", "--no-judge")
    assert ran.code == 1
    assert "A1 pass" in ran.told and "B1 violate" in ran.told
    assert "block UDAAP-01/no_guarantees headline 'Guaranteed' The copy guarantees something" in ran.told
    assert "unreadable line 3: offer.reward_valu: no such field; did you mean reward_value?" in ran.told
    assert "2 checked: 1 pass, 1 violate; 1 unreadable" in ran.told
    assert "\x1b" not in ran.out


def test_families_narrow_the_check_and_a_wrong_one_is_refused(offers: Offers, tmp_path: Path) -> None:
    (tmp_path / "drafts.jsonl").write_text(text_of(GUARANTEED), encoding="utf-8")
    ran = offers("check", "drafts.jsonl", "--json", "--families", "dining_offer_policy, eligibility_policy")
    assert (ran.code, replies(ran)[0]["verdict"]) == (0, "pass")
    wrong = offers("check", "drafts.jsonl", "--families", "NOPE")
    assert (wrong.code, wrong.out) == (1, "")
    assert "families: 'NOPE' names no policy; known: " in wrong.err


@pytest.mark.parametrize("content", [b"", b"\n\n  \n"], ids=["empty", "blank"])
def test_a_file_without_lines_has_no_reply(offers: Offers, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "drafts.jsonl").write_bytes(content)
    ran = offers("check", "drafts.jsonl", "--json")
    assert (ran.code, ran.out) == (0, "")


def test_a_file_that_is_not_there_is_one_line(offers: Offers) -> None:
    ran = offers("check", "nope.jsonl")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.splitlines() == ["error: No such file or directory: nope.jsonl"]


def test_a_policy_that_cannot_be_enforced_stops_the_check(
    offers: Offers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drafts.jsonl").write_text(text_of(line()), encoding="utf-8")
    monkeypatch.setenv("POLICIES_DIR", str(tmp_path / "nowhere"))
    ran = offers("check", "drafts.jsonl", "--json")
    assert (ran.code, ran.out) == (1, "")
    assert "`offers policies lint`" in ran.err


def test_a_check_imports_no_graph_no_model_and_no_index(tmp_path: Path) -> None:
    heavy = {"langgraph", "langchain_core", "openai", "fastapi", "chromadb", "torch", "psycopg_pool"}
    path = tmp_path / "drafts.jsonl"
    path.write_text(text_of(line()), encoding="utf-8")
    code = (
        "import sys; sys.argv = ['offers', 'check', sys.argv[1], '--json', '--no-judge']\n"
        "from server.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(ran.stdout)["verdict"] == "pass"
    assert heavy.isdisjoint(ran.stderr.split())
