"""Where a run goes next. Each router is pure and total."""

from typing import Literal

from graph.state import OfferState


def after_fetch(state: OfferState) -> Literal["screen", "record"]:
    """Claim the prediction, of an unknown member too: every outcome but a failed fetch belongs to a claim."""
    return "record" if state.get("failure") else "screen"


def after_screen(state: OfferState) -> Literal["analyze_rules", "record"]:
    """Hold back, replay, or analyse."""
    wanted = state["found"] and state["prediction"].offer_flag == 1
    if state.get("failure") or state.get("recorded") or state["screening"].holds or not wanted:
        return "record"
    return "analyze_rules"


def after_compliance(state: OfferState) -> Literal["render", "draft", "fall_back", "review", "record"]:
    """Send a passing draft on, a failing one back until its loop ends, and stop for good after the fallback."""
    report, draft = state["report"], state["draft"]
    if state.get("failure") or state["screening"].holds:
        return "record"  # the money ran out for the chosen option
    if report.verdict == "pass":
        return "review" if state["needs_person"] and state["review"] is None else "render"
    if state["review"] is not None or (draft is not None and draft.source in ("fallback", "human")):
        return "record"  # generation_failed, with reasons: what a person approved can't be swapped for another draft
    if state.get("loop_end") is not None:
        return "fall_back"  # no progress, or a budget is spent: the reason is in the record
    if not state["feedback"]:
        return "fall_back"  # all that is wrong has to do with the member, which a model must not be told
    if draft is None or state["attempts"] > state["run"].max_revisions:
        return "fall_back"  # a draft that never arrived is not a revision
    return "draft"


def after_review(state: OfferState) -> Literal["check_compliance", "record"]:
    """Check an approved draft once more (a person may have edited it); a rejected one ends the run."""
    return "record" if state["review"] == "reject" else "check_compliance"
