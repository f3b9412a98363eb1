"""What a process keeps of the policies it compiled, and what makes it compile them again."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.tools.policies.written import DETECTORS, clause, mentions, write_policy
from tools.errors import PolicyInvalid
from tools.policies import lint, load_policies
from tools.report import Evidence
from tools.subject import Detector, Subject

PROVED = {"violating": ["This is forbidden."], "conforming": [{}]}


class Counted:
    """A detector that counts the subjects it saw."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, subject: Subject, params: Mapping[str, object]) -> Sequence[Evidence]:
        self.seen += 1
        return mentions(subject, params)


def counting(run: Counted) -> dict[str, Detector]:
    return {"mentions": Detector("mentions", ("copy",), run, frozenset({"word"}))}


def test_a_text_is_compiled_and_its_examples_run_once(tmp_path: Path) -> None:
    run = Counted()
    write_policy(tmp_path, clause("code", examples=PROVED))
    first = load_policies(tmp_path, detectors=counting(run))
    assert run.seen == 2
    assert load_policies(tmp_path, detectors=counting(run)) is first
    assert run.seen == 2


def test_only_what_changed_is_compiled_again(tmp_path: Path) -> None:
    run = Counted()
    for policy_id in ("first_policy", "second_policy"):
        write_policy(tmp_path, clause("code", examples=PROVED), policy_id=policy_id)
    old = load_policies(tmp_path, detectors=counting(run))
    write_policy(tmp_path, clause("code", examples=PROVED), policy_id="second_policy", version="1.0.1")
    new = load_policies(tmp_path, detectors=counting(run))
    assert run.seen == 2 * 3
    assert new.get("first_policy") is old.get("first_policy")
    assert new.sha != old.sha
    second = new.get("second_policy")
    assert second is not None and second.version == "1.0.1"


def test_another_detector_behind_the_same_name_means_another_clause(tmp_path: Path) -> None:
    write_policy(tmp_path, clause("code", examples=PROVED))
    load_policies(tmp_path, detectors=DETECTORS)
    never = {"mentions": Detector("mentions", ("copy",), lambda subject, params: [], frozenset({"word"}))}
    with pytest.raises(PolicyInvalid, match="this violating example comes out as pass"):
        load_policies(tmp_path, detectors=never)


def test_examples_that_were_left_out_once_are_run_when_asked_for(tmp_path: Path) -> None:
    write_policy(tmp_path, clause("code"))
    load_policies(tmp_path, detectors=DETECTORS, run_examples=False)
    with pytest.raises(PolicyInvalid, match="this violating example comes out as pass"):
        load_policies(tmp_path, detectors=DETECTORS)


def test_a_fault_is_told_each_time_and_of_the_file_it_stands_in(tmp_path: Path) -> None:
    for folder in (tmp_path / "a", tmp_path / "b", tmp_path / "b"):
        path = write_policy(folder, clause("code"))
        (problem,) = lint(folder, detectors=DETECTORS)
        assert problem.path == path
    for folder in (tmp_path / "c", tmp_path / "d"):
        path = write_policy(folder, clause("code", examples=PROVED))
        (policy,) = load_policies(folder, detectors=DETECTORS).policies
        assert policy.path == path
