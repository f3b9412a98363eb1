"""Drafting for a cohort: one run of models and gate for all members whose prompts are the same byte for byte."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final, cast

from graph.affording import cheaper_of
from graph.assembly import Assembled, assemble, subject_of_nobody
from graph.case import candidates_of, flight_of, menu_of
from graph.cohort_draft import CheaperOffer, CohortAsk, CohortDraft
from graph.cohort_graph import build_cohort_graph
from graph.cohort_state import CohortContext, CohortState
from graph.deps import Deps
from graph.judging import ruled
from graph.nodes.retrieve_policies import extracts_of
from graph.run import GRACE_S, RECURSION_LIMIT
from graph.run_prompts import prompt_of, prompts_used
from graph.state import Failure, OfferState, Run
from graph.versions import changed, versions_of
from tools.errors import InputInvalid, ModelUnavailable
from tools.policies.gate import breaks_for_nobody
from tools.report import ComplianceReport
from tools.turns import week_of
from tools.variants import named

__all__ = ["CheaperOffer", "CohortAsk", "CohortDraft", "CohortDrafter", "changed", "draft_cohort", "versions_of"]

_SHOWN_FAULTS: Final = 5


async def draft_cohort(ask: CohortAsk, deps: Deps) -> CohortDraft:
    """Draft for one cohort. Who drafts for many keeps a `CohortDrafter`; see there for what is raised."""
    return await CohortDrafter(deps).draft(ask)


class CohortDrafter:
    """Drafts for cohorts with one process's services; the graph is compiled once."""

    def __init__(self, deps: Deps) -> None:
        self._deps, self._graph = deps, build_cohort_graph(deps)

    async def draft(self, ask: CohortAsk, *, without_model: bool = False) -> CohortDraft:
        """Return the cohort's draft, or one with a `failure` when none gets past the gate; it may take RUN_DEADLINE_S.

        `without_model` drafts from approved copy alone, where models have failed this cohort too often. The deadline
        counts from now, though the run of the result bears the campaign's moment. Raises ModelUnavailable (with its
        account as `call`, where a call was made) when the endpoint is away, DatabaseUnavailable, and InputInvalid for a
        variant there is no prompt of and for a view nothing can be offered to.
        """
        start = _start(ask, self._deps)
        context = CohortContext(mode="issue", campaign=ask.seed or ask.campaign, without_model=without_model)
        limit = start["run"].deadline_s + GRACE_S
        try:
            async with asyncio.timeout(limit):
                end = await self._graph.ainvoke(start, {"recursion_limit": RECURSION_LIMIT}, context=context)
        except TimeoutError as error:
            raise ModelUnavailable(f"cohort {ask.key[:12]}: no draft within {limit:g} s") from error
        return await _drafted(ask, cast(CohortState, end), self._deps)


def _start(ask: CohortAsk, deps: Deps) -> CohortState:
    known = deps.rulebook.prompts.digests
    for step, variant in ask.variants.items():
        if named(step, variant) not in known:
            raise InputInvalid(f"variants.{step} is {variant!r}: there is no prompts/{named(step, variant)}.md")
    now, settings = time.time(), deps.settings
    run = Run(
        run_id=f"cohort-{ask.key[:24]}",
        prediction_key=ask.key,
        campaign=ask.campaign,
        campaign_id=ask.campaign_id,
        mode="issue",
        send_date=ask.send_date,
        started_at=now,
        deadline_s=settings.run_deadline_s,
        max_revisions=settings.max_revisions,
        draft_token_budget=settings.draft_token_budget,
    )
    menu = menu_of(ask.view, deps)
    candidates = candidates_of(ask.view, menu, flight_of(run), deps)
    if not candidates:
        raise InputInvalid(
            f"view is {ask.view.model_dump()}: too few partner merchants fit it; plan the campaign again"
        )
    return {
        "run": run,
        "view": ask.view,
        "menu": menu,
        "candidates": candidates,
        "week": week_of(ask.send_date),
        "use_llm": ask.use_llm,
        "hypotheses": (),
        "dropped": (),
        "policies": extracts_of(ask.view, deps),
        "feedback": (),
        "criticised": (),
        "deadline_at": now + run.deadline_s,
        "variants": ask.variants,
        "prompts": deps.rulebook.prompts.used(ask.variants),
        "attempts": 0,
        "draft": None,
        "loop_end": None,
        "terms": None,
        "copy": None,
        "terms_text": "",
        "passed": False,
    }


async def _drafted(ask: CohortAsk, end: CohortState, deps: Deps) -> CohortDraft:
    passed, report = end["passed"], end["report"]
    return CohortDraft(
        key=ask.key,
        seed=ask.seed or ask.campaign,
        use_llm=ask.use_llm,
        variants=ask.variants,
        prompts=end["prompts"],
        week=end["week"],
        run=end["run"].model_copy(update={"started_at": ask.sent_at.timestamp()}),
        view=end["view"],
        menu=end["menu"],
        candidates=end["candidates"],
        policies=end["policies"],
        hypotheses=end["hypotheses"],
        dropped=end["dropped"],
        draft=end["draft"],
        history=tuple(end["history"]),
        terms=end["terms"] if passed else None,
        filled=end["copy"] if passed else None,
        terms_text=end["terms_text"] if passed else "",
        report=report,
        calls=tuple(end["calls"]),
        degraded=tuple(end["degraded"]),
        attempts=end["attempts"],
        loop_end=end["loop_end"],
        cheaper=tuple([offer async for offer in _cheaper(end, deps)]) if passed else (),
        failure=None if passed else Failure(code="compliance", message=_broken(report)),
        versions=versions_of(deps, variants=ask.variants, prompts=prompts_used(end, deps)),
    )


async def _cheaper(end: CohortState, deps: Deps) -> AsyncIterator[CheaperOffer]:
    """Yield what money may choose in place of the draft's option: as online, no judge is asked about money's choice."""
    state, draft = cast(OfferState, end), end["draft"]
    chosen = None if draft is None else end["menu"].option(draft.option_id)
    if draft is None or chosen is None:
        return
    prompt = prompt_of("judge", end, deps)
    for option in cheaper_of(chosen, end["menu"]):
        offer = assemble(state, draft, option, deps)
        if not isinstance(offer, Assembled):
            continue
        subject = subject_of_nobody(state, draft, offer, deps)
        ruling = await ruled(subject, deps, prompt=prompt, left_s=0, keep=False, ask=False, for_nobody=True)
        if deps.rulebook.gate.shared_passes(ruling.report, subject.scope):
            yield CheaperOffer(
                option_id=option.option_id,
                terms=offer.terms,
                filled=offer.copy,
                terms_text=offer.terms_text,
                report=ruling.report,
            )


def _broken(report: ComplianceReport) -> str:
    """Say what broke whoever the member is."""
    personal = {
        (item.policy_id, item.clause_id)
        for item in report.results
        if "member" in item.depends_on and not breaks_for_nobody(item)
    }
    shared = [item for item in report.violations if (item.policy_id, item.clause_id) not in personal]
    told = "; ".join(f"{item.policy_id}/{item.clause_id}: {item.message}" for item in shared[:_SHOWN_FAULTS])
    return told or "no draft was shown to obey every clause"
