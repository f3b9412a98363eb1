import shutil
import subprocess
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
    assert ran.out.startswith(f"{folder / 'disclosures.yaml'}:2:1: broken YAML")
    (folder / "merchants.yaml").write_text("merchants: 3\n", encoding="utf-8")
    assert offers("lint").out.startswith(f"{folder / 'merchants.yaml'}:1:1: ")


def test_list_shows_each_policy_in_a_table(offers: Offers, folder: Path) -> None:
    write_policy(
        folder, clause(**CEL), policy_id="house_rule", status="draft", version="2.1.0", brief="Say true things."
    )
    ran = offers("list")
    assert ran.code == 0
    assert f"{len(list(folder.glob('*.md'))) - 2} policies in force" in ran.out  # neither README nor the draft
    for policy in folder.glob("*.md"):
        assert policy.stem == "README" or policy.stem in ran.out
    for word in ("house_rule", "Say true things.", "2.1.0", "draft", "Business Services"):
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
    assert "there is no policy 'nope'; known: DLV-01" in unknown.err


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
    for path in folder.glob("*.md"):
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
    assert "fired by no example: house_policy/a_judge" in ran.told


def test_coverage_counts_the_plants_of_the_mutation_suite(offers: Offers, folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*.md"):
        path.unlink()
    write_policy(folder, clause(id="planted", kind="judge", question="Is it rude?"), clause("judge"), clause(**CEL))
    plants = tmp_path / "plants"
    plants.mkdir()
    (plants / "house_policy.yaml").write_text("planted:\n  - add: {body: x}\n  - add: {body: y}\n", encoding="utf-8")
    ran = offers("coverage", "--plants", str(plants))
    assert "planted judge 1 1 2 answered by a judge" in ran.told
    assert "fired by no example and no plant: house_policy/a_judge" in ran.told
    (plants / "house_policy.yaml").write_text("[", encoding="utf-8")
    broken = offers("coverage", "--plants", str(plants))
    assert (broken.code, "house_policy.yaml:2:1: broken YAML" in broken.err) == (1, True)


@pytest.mark.parametrize(
    ("broken", "at", "remedy"),
    [
        (clause(check="offer.reward_value <= offer.reward_valu"), "offer.reward_valu\n", "unknown field"),
        (clause(check="offer.reward_value <= ) 5.0"), ") 5.0", "correct it there"),
        (clause("pattern", forbid=[r"\bfine\b", r"it's (?<=a)b"]), "(?<=a)b", "there is no look-around; write"),
        (clause("pattern", forbid=[r"free (gift"]), "(gift", "close the parenthesis"),
        (clause(severity="fatal"), "severity:", "'block', 'fix' or 'warn'"),
        (clause(check="offer.reward_value <= 5.0 && offer.minimum_spend > 1.0"), "offer.minimum", "ask has(offer."),
    ],
)
def test_lint_points_at_the_column(
    offers: Offers, folder: Path, broken: dict[str, object], at: str, remedy: str
) -> None:
    path = write_policy(folder, broken)
    told = offers("lint").out.splitlines()[0]
    assert told.startswith(f"{path}:") and remedy in told
    line, column = map(int, told.removeprefix(f"{path}:").split(":")[:2])
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)[line - 1]
    assert text[column - 1 :].startswith(at) or (at == "(gift" and text[: column - 1].endswith("free (gift"))


def test_diff_tells_what_changed_and_which_way(offers: Offers, folder: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    shutil.copytree(folder, before)
    path = folder / "dining_offer_policy.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("max_multiplier: 4", "max_multiplier: 3"), encoding="utf-8")
    taken_out = (folder / "SEC-01.md").read_text(encoding="utf-8").count("\n  - id: ")
    (folder / "SEC-01.md").unlink()
    ran = offers("diff", str(before), str(folder))
    assert ran.code == 0
    assert "SEC-01 removed, was version" in ran.told
    assert "stricter limit max_multiplier: 4 -> 3" in ran.told
    changes = f"changes: 1 stricter, {taken_out} looser, 1 that the text alone"
    assert f"policies: 1 removed, 1 changed; {changes}" in ran.told
    assert offers("diff", str(before)).out == ran.out  # POLICIES_DIR is the new one
    assert offers("diff", str(folder)).out == "no difference\n"


def test_diff_reads_git_revisions_and_says_what_it_cannot_read(offers: Offers, folder: Path) -> None:
    for arguments in (
        ("init", "-q"), ("add", "."), ("-c", "user.name=x", "-c", "user.email=x@y.z", "commit", "-qm", "x"),
    ):  # fmt: skip
        subprocess.run(["git", "-C", str(folder.parent), *arguments], check=True)
    (folder / "SEC-01.md").unlink()
    ran = offers("diff", "HEAD")
    assert (ran.code, "SEC-01 removed, was version" in ran.told) == (0, True)
    unknown = offers("diff", "nowhere")
    assert (unknown.code, unknown.out) == (1, "")
    assert "give a path that exists or a revision such as HEAD~1" in unknown.err
    (folder / "SEC-02.md").write_text("no policy\n", encoding="utf-8")
    assert "SEC-02.md:1:1: a policy starts with a line '---'" in offers("diff", "HEAD").err
