import shutil
from pathlib import Path

import pytest

from graph.settings import Settings
from tests.server.commands import Offers, run_here
from tests.tools.policies.written import clause, write_policy
from tools.policies.standard import standard_subject

ROOT = Path(__file__).parents[2]
CODE = {"detector": "no_links", "examples": {"violating": ["Go to bit.ly/x."], "conforming": [{}]}}
CEL = {
    "check": "offer.reward_value <= 5.0",
    "examples": {"violating": [{"offer": {"reward_value": 6}}], "conforming": [{}]},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the issuer's policies folder."""
    folder = tmp_path / "policies"
    shutil.copytree(ROOT / "policies", folder)
    return folder


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("POLICIES_DIR", str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *arguments: run_here(capsys, monkeypatch, "policies", *arguments)


def test_lint_says_so_when_nothing_is_wrong(offers: Offers, folder: Path) -> None:
    ran = offers("lint")
    assert (ran.code, ran.out) == (0, f"{folder}: nothing to correct\n")


def test_lint_prints_every_problem_with_file_and_line(offers: Offers, folder: Path) -> None:
    first = write_policy(folder, clause(check="offer.reward_valu > 0.0"), clause("code", detector="nope"))
    second = write_policy(folder, clause(**CEL), policy_id="other_policy", brief=" ".join(["word"] * 31))
    ran = offers("lint")
    assert ran.code == 1
    told = ran.out.splitlines()
    assert [each.partition(":")[0] for each in told] == [str(first), str(first), str(second)]
    for each, field in zip(told, ("check:", "detector:", "brief:"), strict=True):
        path, number, reason = each.split(":", 2)
        assert field in Path(path).read_text(encoding="utf-8").splitlines()[int(number) - 1]
        assert reason
    assert "reward_valu" in told[0] and "unknown detector 'nope'" in told[1] and "31 words" in told[2]


def test_lint_runs_the_examples_and_reads_the_other_files(offers: Offers, folder: Path) -> None:
    path = write_policy(folder, clause(check="offer.reward_value <= 9.0"))
    ran = offers("lint")
    assert ran.code == 1
    assert ran.out.startswith(f"{path}:") and "this violating example comes out as pass" in ran.out
    path.unlink()
    (folder / "disclosures.yaml").write_text("version: [\n", encoding="utf-8")
    ran = offers("lint")
    assert ran.code == 1
    assert ran.out.startswith(f"{folder / 'disclosures.yaml'}:2: broken YAML")
    (folder / "merchants.yaml").write_text("merchants: 3\n", encoding="utf-8")
    assert offers("lint").out.startswith(f"{folder / 'merchants.yaml'}:1: ")


def test_list_shows_each_policy_in_a_table(offers: Offers, folder: Path) -> None:
    write_policy(folder, clause(**CEL), policy_id="UDAAP-10", status="draft", version="2.1.0", brief="Say true things.")
    ran = offers("list")
    assert ran.code == 0
    assert "10 policies in force" in ran.out
    for policy in folder.glob("*.md"):
        assert policy.stem == "README" or policy.stem in ran.out
    for word in ("UDAAP-10", "Say true things.", "2.1.0", "draft", "Business Services"):
        assert word in ran.out


def test_show_tells_front_matter_clauses_and_prose(offers: Offers, folder: Path) -> None:
    write_policy(folder, clause(**CEL), clause("judge"), clause("pattern", unless=["not unlimited"]))
    ran = offers("show", "house_policy")
    assert ran.code == 0
    for words in (
        "house_policy 1.0.0, active since 2026-01-05", "policy: house rule", "max_multiplier 5", "every offer",
        "a_cel", "cel, terms, block", "offer.reward_value <= 5.0", "Does the copy shame the reader?",
        r"forbid \bunlimited\b", "unless not unlimited", "It is wrong.", "Say true things.",
    ):  # fmt: skip
        assert words in ran.told, words
    unknown = offers("show", "nope")
    assert (unknown.code, unknown.out) == (1, "")
    assert "there is no policy 'nope'; known: business_services_offer_policy" in unknown.err


def test_test_runs_the_examples_of_every_clause(offers: Offers, folder: Path) -> None:
    write_policy(folder, clause(**CEL), clause("judge"), clause("code", **CODE))
    ran = offers("test")
    assert ran.code == 0
    assert (
        "a_cel cel 1 1 ok" in ran.told and "a_judge judge 1 1 not run" in ran.told and "compliance_policy" in ran.told
    )
    one = offers("test", "house_policy")
    assert one.code == 0 and "compliance_policy" not in one.out


def test_test_names_the_line_of_an_example_that_fails(offers: Offers, folder: Path) -> None:
    assert standard_subject().offer["reward_value"] == 3.0
    path = write_policy(folder, clause(**CEL), clause(id="lax", check="offer.reward_value <= 9.0"))
    ran = offers("test", "house_policy")
    assert ran.code == 1
    assert "lax cel 1 1 1 fail" in ran.told
    (failure,) = [each for each in ran.out.splitlines() if each.startswith(str(path))]
    number = int(failure.split(":")[1])
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[number - 1].strip().startswith("- {}") or "violating" in lines[number - 2]
    assert "clause 'lax': this violating example comes out as pass" in failure


def test_coverage_lists_what_no_example_proves(offers: Offers, folder: Path) -> None:
    for path in folder.glob("*_policy.md"):
        path.unlink()
    enough = {
        "violating": [{"offer": {"reward_value": value}} for value in (6, 7, 8)],
        "conforming": [{"offer": {"reward_value": value}} for value in (3, 4, 5)],
    }
    proved = clause(id="well_shown", check=CEL["check"], examples=enough)
    write_policy(folder, proved, clause("judge", examples=enough), clause(id="thin", **CEL), clause("attest"))
    ran = offers("coverage")
    assert ran.code == 0
    assert "a_judge judge 3 3 answered by a judge or approved copy" in ran.told
    assert "a_attest attest 1 1 answered by a person" in ran.told
    assert "thin cel 1 1" in ran.told
    assert "well_shown" not in ran.out
    assert "3 of 4 clauses" in ran.out
