from pathlib import Path
from typing import Any

import pytest

from tests.tools.policies.written import DETECTORS, clause, write_policy
from tools.errors import PolicyInvalid
from tools.policies import lint, load_policies
from tools.policies.schema import BRIEF_WORDS


def problem_of(folder: Path, *, run_examples: bool = False) -> PolicyInvalid:
    with pytest.raises(PolicyInvalid) as raised:
        load_policies(folder, detectors=DETECTORS, run_examples=run_examples)
    return raised.value


def line_with(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("front", "where", "reason"),
    [
        ({"colour": "red"}, "colour:", "unknown key"),
        ({"version": "1"}, "version:", "version"),
        ({"status": "live"}, "status:", "'draft', 'active' or 'retired'"),
        ({"basis": "rumour"}, "basis:", "basis"),
        ({"effective": "soon"}, "effective:", "effective"),
        ({"brief": "word " * (BRIEF_WORDS + 1)}, "brief:", "31 words"),
        ({"brief": ""}, "brief:", "a draft can break this policy"),
        ({"brief": "two\nlines"}, "brief:", "brief"),
        ({"scope": {"domains": ["Gambling"]}}, "- Gambling", "scope.domains.0"),
        ({"scope": {"domain": ["Dining"]}}, "domain:", "unknown key"),
        ({"limits": {"multiplier": 3}}, "multiplier:", "multiplier"),
        ({"limits": {"max_multiplier": True}}, "max_multiplier:", "number"),
        ({"limits": {"max_multiplier": float("nan")}}, "max_multiplier:", "finite"),
        ({"clauses": []}, "clauses:", "enforces nothing"),
    ],
)
def test_front_matter_that_breaks_the_schema_names_its_line(
    tmp_path: Path, front: dict[str, Any], where: str, reason: str
) -> None:
    path = write_policy(tmp_path, **front)
    problem = problem_of(tmp_path)
    assert (problem.path, problem.line) == (path, line_with(path, where))
    assert reason in problem.reason


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    path = write_policy(tmp_path)
    path.write_text(path.read_text().replace("owner: Compliance\n", ""))
    assert problem_of(tmp_path).reason == "owner: missing; add it"


@pytest.mark.parametrize(
    ("broken", "where", "reason"),
    [
        (clause(colour="red"), "colour:", "clauses.0.colour: unknown key"),
        (clause() | {"kind": "magic"}, "- id:", "magic"),
        (clause(id="Not An Id"), "- id:", "clauses.0.id"),
        (clause(severity="fatal"), "severity:", "severity"),
        (clause("pattern", forbid=[]), "- id:", "forbid or require"),
        (clause("pattern", fields=[]), "fields:", "at least one field"),
        (clause("pattern", fields=["footer"]), "fields:", "unknown field 'footer'"),
        (clause("pattern", forbid=[], require=["a"], unless=["b"]), "- id:", "unless"),
        (clause("pattern", forbid=["fine", "(a"]), "- (a", "missing )"),
        (clause("pattern", forbid=[r"(?<=a)b"]), "- (?<=a)b", "invalid perl operator"),
        (clause("pattern", unless=["x*"]), "- x*", "matches empty text"),
        (clause(check="offer.reward_value <="), "check:", "not CEL"),
        (clause(check="offer.rewardvalue <= 5.0"), "check:", "unknown field 'offer.rewardvalue'"),
        (clause(check="member.shoe_size > 4"), "check:", "unknown field 'member.shoe_size'"),
        (clause(check="member.age > 60"), "check:", "protected"),
        (clause(check="member.location == 'x'"), "check:", "protected"),
        (clause(check="limits.max_percent > 4.0"), "check:", "limits has max_multiplier"),
        (clause(check="text.footer == ''", stage="copy"), "check:", "unknown field 'text.footer'"),
        (clause(check="offers.reward_value <= 5.0"), "check:", "unknown name 'offers'"),
        (clause(check="shout(offer.offer_type) == 'A'"), "check:", "unknown function 'shout'"),
        (clause(check="offer == offer"), "check:", "write offer.field"),
        (clause(check="offer['reward_value'] < 5.0"), "check:", "write offer.field"),
        (clause(check="offer.minimum_spend >= 50.0"), "check:", "ask has(offer.minimum_spend)"),
        (clause(check="has(limits.max_multiplier)"), "check:", "limits are numbers"),
        (clause(check="offer.merchants.exists(offer, true)"), "check:", "call the macro's variable something else"),
        (clause(check="text.body.matches('a')", stage="copy"), "check:", "write matches(text.body"),
        (clause(check="matches(text.body, '(a')", stage="copy"), "check:", "missing )"),
        (clause(check="matches(text.body, text.cta)", stage="copy"), "check:", "in quotes"),
        (clause(check="offer.reward_value"), "check:", "say true or false"),
        (clause(when="size(offer.offer_type)"), "when:", "say true or false"),
        (clause(when="offer.nothing == 1"), "when:", "unknown field 'offer.nothing'"),
        (clause(stage="member"), "stage:", "only exists at stage terms"),
        (clause("pattern", stage="terms"), "stage:", "only exists at stage copy"),
        (clause("pattern", fields=["message_html"]), "stage:", "only exists at stage message"),
        (clause("code", detector="reads_message"), "stage:", "only exists at stage message"),
        (clause("code", detector="guess"), "detector:", "unknown detector 'guess'; known: answers_nonsense"),
        (clause("code", params={"wrod": "x"}), "wrod:", "no parameter 'wrod'; it takes word"),
        (clause("code", detector="fails", params={"word": "x"}), "word:", "it takes no parameters"),
        (clause(examples={"violating": [{}]}), "examples:", "at least one conforming"),
        (clause(examples={"violating": [{"text": {"footer": "x"}}], "conforming": [{}]}), "- text:", "footer"),
        (clause(examples={"violating": [{"txt": {}}], "conforming": [{}]}), "txt:", "unknown key"),
    ],
)
def test_a_clause_that_cannot_be_enforced_stops_the_load_at_its_line(
    tmp_path: Path, broken: dict[str, Any], where: str, reason: str
) -> None:
    path = write_policy(tmp_path, broken)
    problem = problem_of(tmp_path)
    assert reason in problem.reason
    assert (problem.path, problem.line) == (path, line_with(path, where))


def test_a_clause_that_rests_on_law_cannot_merely_warn(tmp_path: Path) -> None:
    path = write_policy(tmp_path, clause(severity="warn"), basis="law")
    problem = problem_of(tmp_path)
    assert "can't be warn" in problem.reason
    assert problem.line == line_with(path, "severity:")


def test_ids_are_the_file_name_and_unique(tmp_path: Path) -> None:
    path = write_policy(tmp_path)
    path.rename(tmp_path / "other.md")
    assert problem_of(tmp_path).reason == "the id 'house_policy' is not the file's name; call it house_policy.md"
    write_policy(tmp_path / "twice", clause(), clause())
    assert "earlier clause has this id" in problem_of(tmp_path / "twice").reason
    write_policy(tmp_path / "case", policy_id="Rule")
    write_policy(tmp_path / "case", policy_id="rule")
    assert "the id 'rule' is taken by Rule.md" in problem_of(tmp_path / "case").reason


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("# No front matter\n", 1, "starts with a line '---'"),
        ("---\nid: a\n", 3, "never ends"),
        ("---\nid: a\n---\n\n", 3, "no prose"),
        ("---\nid: a\nbrief: [1\n---\nProse\n", 4, "broken YAML"),
        ("---\nid: a\nid: b\n---\nProse\n", 3, "written twice"),
        ("---\nid: &x a\nowner: *x\n---\nProse\n", 2, "YAML anchor"),
        ("---\n- a\n---\nProse\n", 2, "key: value"),
        ("", 1, "starts with a line '---'"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    (tmp_path / "house_policy.md").write_text(text)
    problem = problem_of(tmp_path)
    assert (problem.line, reason in problem.reason) == (line, True)


def test_a_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "house_policy.md").write_bytes(b"---\nid: \xff\n---\n")
    assert "UTF-8" in problem_of(tmp_path).reason


def test_windows_line_ends_and_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = write_policy(tmp_path)
    sha = load_policies(tmp_path, detectors=DETECTORS, run_examples=False).sha
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_policies(tmp_path, detectors=DETECTORS, run_examples=False).sha == sha


def test_a_folder_without_policies_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("About policies.")
    assert "no policy here" in problem_of(tmp_path).reason


def test_examples_are_the_clause_s_tests(tmp_path: Path) -> None:
    examples = {"violating": [{"offer": {"reward_value": 6}}, {"offer": {"reward_value": 5}}], "conforming": [{}]}
    path = write_policy(tmp_path, clause(examples=examples))
    problem = problem_of(tmp_path, run_examples=True)
    remedy = "correct the clause or the example"
    assert problem.reason == f"clause 'a_cel': this violating example comes out as pass; {remedy}"
    assert path.read_text().splitlines()[problem.line - 1].strip() == "- offer:"
    assert problem.line > line_with(path, "reward_value: 6")


def test_a_conforming_example_must_not_be_unknown(tmp_path: Path) -> None:
    examples = {"violating": [{"offer": {"reward_value": 6}}], "conforming": [{"offer": {"reward_value": None}}]}
    write_policy(tmp_path, clause(examples=examples))
    assert "comes out as unknown" in problem_of(tmp_path, run_examples=True).reason


def test_lint_collects_everything_of_every_file(tmp_path: Path) -> None:
    write_policy(tmp_path, clause(check="offer.x == 1"), clause(id="b_rule", severity="fatal"), policy_id="one")
    write_policy(tmp_path, clause("pattern", forbid=["(a"]), clause(id="other_one"), policy_id="two")
    (tmp_path / "three.md").write_text("nothing")
    found = [(problem.path.stem, problem.reason.split(":")[0]) for problem in lint(tmp_path, detectors=DETECTORS)]
    assert found == [
        ("one", "clauses.1.severity"),
        ("three", "a policy starts with a line '---' and its front matter"),
        ("two", "clause 'a_pattern'"),
        ("two", "clause 'other_one'"),
    ]


def test_a_draft_is_checked_but_not_enforced(tmp_path: Path) -> None:
    write_policy(tmp_path, status="draft")
    policies = load_policies(tmp_path, detectors=DETECTORS, run_examples=False)
    assert (len(policies.policies), policies.active) == (1, ())
    write_policy(tmp_path, clause(check="offer.x == 1"), status="draft")
    assert "offer.x" in problem_of(tmp_path).reason


def test_a_policy_that_no_draft_can_break_needs_no_brief(tmp_path: Path) -> None:
    message = clause(
        "code", detector="reads_message", stage="message", examples={"violating": [{}], "conforming": [{}]}
    )
    write_policy(tmp_path, clause("attest"), message, brief="")
    (policy,) = load_policies(tmp_path, detectors=DETECTORS, run_examples=False).active
    assert policy.brief == ""
