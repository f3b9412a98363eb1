"""A judge over a chat model: asked once per draft, when that can matter, and silent when anything goes wrong."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tools.chat.calls import ModelCall
from tools.errors import ModelReplyInvalid, ModelUnavailable
from tools.judging.answers import Findings, findings_of, silent_about
from tools.judging.questions import paper_of
from tools.policies.clauses import ActiveClause
from tools.policies.evaluation import NoFinding
from tools.policies.gate import Gate
from tools.prompt_files import Prompt
from tools.report import SATISFIED, ClauseResult, ComplianceReport
from tools.subject import Subject

if TYPE_CHECKING:  # a check without a judge imports no model client
    from tools.chat.model import ChatModel

AWAY: Final = NoFinding("judge_unavailable", "the judge gave no answer in time or in form")


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge found, and the account of the call."""

    findings: Findings
    call: ModelCall | None


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Asks a chat model. `key` names questions and marks so that no writer of copy can guess them."""

    model: "ChatModel"
    key: bytes

    @classmethod
    def of(cls, model: "ChatModel", *, secret: bytes) -> "ModelJudge":
        """Return a judge whose key derives from the process's token secret."""
        return cls(model, hmac.new(secret, b"offergraph judge", hashlib.sha256).digest())

    async def read(
        self,
        subject: Subject,
        clauses: tuple[ActiveClause, ...],
        *,
        prompt: Prompt,
        deadline_s: float | None = None,
        keep: bool = True,
    ) -> Judged:
        """Put the clauses' questions about one draft to the model, in one call.

        No answer within `deadline_s` seconds, an endpoint that fails and a reply of another form are findings of
        nothing, not errors. A reply is kept in the cache of completions only if it answers every question: a poor one
        would be repeated for ever.
        """
        paper = paper_of(subject, clauses, secret=self.key)
        ask = paper.ask(prompt)
        try:
            reply, call = await self.model.fill(ask, deadline_s=deadline_s, keep=False, counted=keep)
        except (ModelUnavailable, ModelReplyInvalid) as error:
            failed = error.call if isinstance(error.call, ModelCall) else None
            return Judged(silent_about(paper, subject, AWAY), failed)
        findings = findings_of(paper, subject, reply)
        if keep and findings.whole and not call.cached:
            await self.model.keep(ask, reply, call)
        return Judged(findings, call)


def is_broken(results: Iterable[ClauseResult]) -> bool:
    """Tell whether a clause that holds offers is violated: then no answer of a judge can change the verdict."""
    return any(result.result == "violate" and result.severity != "warn" for result in results)


def open_clauses(gate: Gate, subject: Subject, report: ComplianceReport) -> tuple[ActiveClause, ...]:
    """Return the judge clauses a judge should be asked for this draft: none when its answer could change nothing.

    Asked are those that neither approved copy nor a trigger settles. A trigger that reads the member settles nothing
    here: which questions a model sees must not depend on who the member is.
    """
    results = {(item.policy_id, item.clause_id): item for item in report.results}
    waiting = any(item.error_code == "judge_unavailable" and item.severity != "warn" for item in report.results)
    if not waiting:
        return ()
    return tuple(
        clause
        for clause in gate.policies.clauses(subject.scope, report.stages_run)
        if clause.clause.kind == "judge"
        and clause.clause.stage != "message"
        and ("member" in clause.depends_on or results[clause.key].result not in SATISFIED)
    )
