"""Where a run goes next. Each router is pure and total."""

from typing import Literal

from graph.state import OfferState
from tools.report import SATISFIED, ComplianceReport


def after_fetch(state: OfferState) -> Literal["screen", "record"]:
    """Go on only with a member: a failure or an unknown one is an outcome."""
    return "record" if state.get("failure") or state.get("member") is None else "screen"


def after_screen(state: OfferState) -> Literal["analyze_rules", "record"]:
    """Hold back, replay, or analyse."""
    if state.get("failure") or state.get("recorded") or state["screening"].holds or state["prediction"].offer_flag == 0:
        return "record"
    return "analyze_rules"


def after_compliance(state: OfferState) -> Literal["render", "draft", "fall_back", "review", "record"]:
    """Send a passing draft on, a failing one back while attempts last, and stop for good after the fallback."""
    report, draft = state["report"], state["draft"]
    if state.get("failure") or state["screening"].holds:
        return "record"  # the money ran out for the chosen option
    if report.verdict == "pass":
        return "review" if state["needs_person"] and state["review"] is None else "render"
    if state["review"] == "reject" or (draft is not None and draft.source in ("fallback", "human")):
        return "record"  # generation_failed, with reasons
    if reads_member(report):
        return "fall_back"  # telling a model what clashed with the member would tell it of the member
    if draft is None or state["attempts"] > state["run"].max_revisions:
        return "fall_back"  # a draft that never arrived is not a revision
    return "draft"


def after_review(state: OfferState) -> Literal["check_compliance", "record"]:
    """Check an approved draft once more (a person may have edited it); a rejected one ends the run."""
    return "record" if state["review"] == "reject" else "check_compliance"


def reads_member(report: ComplianceReport) -> bool:
    """Return whether a clause that reads the member's facts failed."""
    return any("member" in result.depends_on for result in report.results if result.result not in SATISFIED)
