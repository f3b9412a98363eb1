"""Each router is total, pure, and ends every run."""

from copy import deepcopy
from datetime import date
from itertools import product
from typing import Any, get_args, get_type_hints

import pytest

from graph.routing import after_compliance, after_fetch, after_review, after_screen
from graph.schemas import OfferInput
from graph.state import Failure, LoopEnd, Run, Screening
from tools.drafts import Copy, Draft
from tools.report import ComplianceReport, Violation
from tools.screening import Usage

FAILURE = Failure(code="internal", message="x")
HELD = Screening(usage=Usage(), holds=(("budget_exhausted", "none left"),))
FREE = Screening(usage=Usage())
ENDED = LoopEnd(reason="tokens", detail="spent")
FAULT = Violation(policy_id="p", clause_id="c", severity="block", message="m")
SOURCES = (None, "model", "blocks", "fallback", "human")
VERDICTS = ("pass", "violate", "unknown")


def prediction(offer_flag: int = 1) -> OfferInput:
    return OfferInput.model_validate(
        {"user_id": "U", "domain": "Travel", "confidence_score": 0.9, "offer_flag": offer_flag}
    )


def run(max_revisions: int) -> Run:
    return Run(
        run_id="r", prediction_key="k", campaign_id=1, mode="preview", send_date=date(2026, 11, 22), started_at=0,
        deadline_s=1, max_revisions=max_revisions, campaign="online",
    )  # fmt: skip


def draft(source: Any) -> Draft | None:
    text = Copy(subject="s", preheader="p", headline="h", body="b", cta="c")
    return None if source is None else Draft(source=source, option_id="o", merchant_ids=("M",), text=text)


def report(verdict: Any) -> ComplianceReport:
    return ComplianceReport(
        verdict=verdict, results=(), violations=(), policy_set_sha="0", stages_run=(), judge="skipped", elapsed_ms=0
    )


FETCHED: Any = [
    {"failure": failure, "found": found, "member": None}
    for failure, found in product((None, FAILURE), (True, False))
]  # fmt: skip
SCREENED: Any = [
    {"failure": failure, "recorded": recorded, "screening": screening, "found": found, "prediction": prediction(flag)}
    for failure, recorded, screening, found, flag in product(
        (None, FAILURE), (None, {"run_id": "r"}), (FREE, HELD), (True, False), (0, 1)
    )
]
CHECKED: Any = [
    {
        "report": report(verdict), "draft": draft(source), "review": review, "needs_person": person,
        "attempts": attempts, "run": run(revisions), "feedback": feedback, "failure": failure, "screening": screening,
        "loop_end": ended,
    }
    for verdict, source, review, person, attempts, revisions, feedback, failure, screening, ended in product(
        VERDICTS, SOURCES, (None, "approve", "reject"), (True, False), range(5), (0, 2), ((), (FAULT,)),
        (None, FAILURE), (FREE, HELD), (None, ENDED),
    )
]  # fmt: skip
REVIEWED: Any = [{"review": "approve"}, {"review": "reject"}]


@pytest.mark.parametrize(
    ("router", "states", "reached"),
    [
        (after_fetch, FETCHED, {"screen", "record"}),
        (after_screen, SCREENED, {"analyze_rules", "record"}),
        (after_compliance, CHECKED, {"render", "draft", "fall_back", "review", "record"}),
        (after_review, REVIEWED, {"check_compliance", "record"}),
    ],
    ids=["fetch", "screen", "check_compliance", "review"],
)
def test_a_router_names_a_declared_node_for_every_state_and_reaches_each(
    router: Any, states: list[dict[str, Any]], reached: set[str]
) -> None:
    answers = [router(state) for state in states]
    assert set(answers) == reached == set(get_args(get_type_hints(router)["return"]))
    assert [router(state) for state in states] == answers


@pytest.mark.parametrize(
    ("router", "state"),
    [
        (after_fetch, FETCHED[0]),
        (after_screen, SCREENED[-1]),
        (after_compliance, CHECKED[77]),
        (after_review, REVIEWED[0]),
    ],
    ids=["fetch", "screen", "check_compliance", "review"],
)
def test_a_router_leaves_the_state_as_it_is(router: Any, state: dict[str, Any]) -> None:
    before = deepcopy(state)
    router(state)
    assert state == before


def test_only_a_found_member_with_a_wanted_offer_and_no_hold_is_analysed() -> None:
    passed = [state for state in SCREENED if after_screen(state) == "analyze_rules"]
    assert len(passed) == 1
    assert (passed[0]["found"], passed[0]["screening"], passed[0]["recorded"]) == (True, FREE, None)


def test_routes_need_nothing_that_a_resume_loses() -> None:
    """Studio resumes with what its checkpoint holds; the member isn't in it."""
    assert after_fetch({"found": True, "failure": None}) == "screen"
    state: Any = {"failure": None, "screening": FREE, "found": True, "prediction": prediction()}
    assert after_screen(state) == "analyze_rules"


def test_a_draft_is_rendered_only_when_it_passed_and_a_person_who_must_approve_has() -> None:
    for state in CHECKED:
        if after_compliance(state) == "render":
            assert state["report"].verdict == "pass"
            assert not state["needs_person"] or state["review"] is not None
            assert state["failure"] is None and not state["screening"].holds


def test_what_a_person_decided_on_is_never_drafted_anew() -> None:
    for state in CHECKED:
        if state["review"] is not None:
            assert after_compliance(state) in ("render", "record")


def test_a_model_is_asked_again_only_with_attempts_left_and_something_to_tell_it() -> None:
    for state in CHECKED:
        if after_compliance(state) == "draft":
            assert state["draft"].source in ("model", "blocks")
            assert state["feedback"]
            assert state["attempts"] <= state["run"].max_revisions
            assert state["loop_end"] is None


@pytest.mark.parametrize("revisions", [0, 1, 2, 10])
@pytest.mark.parametrize("arrives", [True, False])
def test_the_loop_ends_when_nothing_ever_passes(revisions: int, arrives: bool) -> None:
    state: Any = CHECKED[0] | {"report": report("violate"), "run": run(revisions), "feedback": (FAULT,), "attempts": 0}
    visited = ["draft"]
    while visited[-1] != "record":
        assert len(visited) <= revisions + 3
        if visited[-1] == "draft":
            state |= {"draft": draft("model" if arrives else None), "attempts": state["attempts"] + arrives}
        else:
            state |= {"draft": draft("fallback")}
        visited.append(after_compliance(state))
    assert visited == ["draft"] * (revisions + 1 if arrives else 1) + ["fall_back", "record"]
