"""The gate with its judge: one report of a draft, the judge asked where its answer can matter."""

from dataclasses import dataclass

from graph.assembly import BEFORE_MESSAGE
from graph.deps import Deps
from tools.chat.calls import ModelCall
from tools.judging import is_broken, open_clauses
from tools.policies import NOT_ASKED, Judge
from tools.prompt_files import Prompt
from tools.report import ComplianceReport
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


async def ruled(subject: Subject, deps: Deps, *, prompt: Prompt, left_s: float, keep: bool, ask: bool = True) -> Ruling:
    """Check a draft by the stages before the message; ask the judge, for `left_s` seconds at most, if that can matter.

    A draft that breaks a clause already is not put to it: the verdict stands, and its clauses say `judge_not_asked`.
    With `ask` false none is, since the judge's prompt would tell what it must not depend on.
    """
    gate, judge = deps.rulebook.gate, deps.judge
    report = gate.check(subject, stages=BEFORE_MESSAGE)
    clauses = open_clauses(gate, subject, report)
    if judge is None or not clauses:
        return Ruling(report)
    if not ask or is_broken(report.results):
        return Ruling(gate.answered(report, subject, NOT_ASKED))
    judged = await judge.read(subject, clauses, prompt=prompt, deadline_s=left_s, keep=keep)
    calls = () if judged.call is None else (judged.call,)
    return Ruling(gate.answered(report, subject, judged.findings), judged.findings, calls)
