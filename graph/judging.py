"""The gate with its judge: one report of a draft, the judge asked where its answer can matter, and what a run notes."""

from dataclasses import dataclass
from typing import Any

from graph.assembly import BEFORE_MESSAGE
from graph.deps import Deps
from graph.revision import loop_end
from graph.state import Attempt, OfferState
from tools.chat.calls import ModelCall
from tools.draft_parts import opened
from tools.drafts import Draft
from tools.judging import is_broken, open_clauses
from tools.policies import NOT_ASKED, Judge
from tools.policies.gate import breaks_for_nobody
from tools.prompt_files import Prompt
from tools.report import ComplianceReport, Violation
from tools.subject import Subject


@dataclass(frozen=True, slots=True)
class Ruling:
    """A report, the judge that answered in it, and the account of its call. `silent`: it was asked and said nothing."""

    report: ComplianceReport
    judge: Judge | None = None
    calls: tuple[ModelCall, ...] = ()

    @property
    def silent(self) -> bool:
        """Whether a judge is configured, was asked and gave no answer."""
        return self.judge is not None and self.report.judge == "unavailable"


async def ruled(
    subject: Subject,
    deps: Deps,
    *,
    prompt: Prompt,
    left_s: float,
    keep: bool,
    ask: bool = True,
    for_nobody: bool = False,
) -> Ruling:
    """Check a draft by the stages before the message; ask the judge, for `left_s` seconds at most, if that can matter.

    A draft that breaks a clause already is not put to it: the verdict stands, and its clauses say `judge_not_asked`.
    With `ask` false none is, since the judge's prompt would tell what it must not depend on. An offer that is for
    nobody yet is not broken by a clause about the member alone: for whoever gets it, that may hold.
    """
    gate, judge = deps.rulebook.gate, deps.judge
    report = gate.check(subject, stages=BEFORE_MESSAGE)
    clauses = open_clauses(gate, subject, report)
    if judge is None or not clauses:
        return Ruling(report)
    decided = [item for item in report.results if not for_nobody or breaks_for_nobody(item)]
    if not ask or is_broken(decided):
        return Ruling(gate.answered(report, subject, NOT_ASKED))
    judged = await judge.read(subject, clauses, prompt=prompt, deadline_s=left_s, keep=keep)
    calls = () if judged.call is None else (judged.call,)
    return Ruling(gate.answered(report, subject, judged.findings), judged.findings, calls)


def noted(
    state: OfferState,
    draft: Draft | None,
    report: ComplianceReport,
    feedback: tuple[Violation, ...] | None = None,
    *,
    passes: bool = False,
    offer_sha: str | None = None,
    calls: tuple[ModelCall, ...] = (),
) -> dict[str, Any]:
    """Return the report; unless told otherwise, what broke is about the draft alone and may be told to a model."""
    told = report.violations if feedback is None else feedback
    fields = opened(told)
    blocks = draft.block_ids if draft is not None and draft.block_ids else {}
    named = tuple(block_id for field, block_id in blocks.items() if field in fields)
    drafted = state.get("review") is None and (draft is None or draft.source in ("model", "blocks"))
    ended = loop_end(state, draft, report, told, calls=calls) if drafted and not passes else None
    return {
        **({"loop_end": ended} if drafted else {}),  # the fallback's report doesn't say why there is a fallback
        "report": report,
        "history": [Attempt(draft=draft, report=report, offer_sha=offer_sha, told=told)],
        "feedback": told,
        "criticised": tuple(dict.fromkeys((*state["criticised"], *named))),
    }
