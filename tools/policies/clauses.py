"""Clauses ready to run: compiled, with what they depend on derived from what they read."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, get_args

from tools.policies.cel import CelTest, check_asked, compile_cel
from tools.policies.expression import CelInvalid
from tools.policies.facts import MESSAGE_FIELDS, TEXT_FIELDS
from tools.policies.pattern import PatternTest, compile_pattern
from tools.policies.regex import RegexInvalid, compile_regex
from tools.policies.schema import (
    AttestClause,
    CelClause,
    Clause,
    CodeClause,
    FrontMatter,
    JudgeClause,
    PatternClause,
    phrase_regex,
)
from tools.report import ClauseResult, Evidence, Result, Stage
from tools.subject import Detector

STAGES: Final[tuple[Stage, ...]] = get_args(Stage)
QUESTION_SHA: Final = 16
"""Digits of a question's hash in an approval."""
READABLE: Final[dict[Stage, frozenset[Stage]]] = {
    stage: frozenset(STAGES[: position + 1]) for position, stage in enumerate(STAGES)
}
"""What a clause of a stage may read: nothing that a later stage makes."""


class ClauseInvalid(ValueError):
    """A clause can't be enforced as written. `location` is the path of the culprit inside the clause.

    `offset` is where in the culprit's text, in characters, when that is known.
    """

    def __init__(self, location: tuple[str | int, ...], reason: str, offset: int | None = None) -> None:
        super().__init__(reason)
        self.location, self.reason, self.offset = location, reason, offset


@dataclass(frozen=True, slots=True, eq=False)
class ActiveClause:
    """One clause of one policy version, compiled."""

    policy_id: str
    policy_version: str
    clause: Clause
    depends_on: tuple[Stage, ...]
    when: CelTest | None = None
    check: CelTest | None = None
    pattern: PatternTest | None = None

    @property
    def key(self) -> tuple[str, str]:
        """Return (policy id, clause id), unique in a policy set."""
        return self.policy_id, self.clause.id

    @property
    def rests_on_terms(self) -> bool:
        """Tell whether the clause reads nothing but the offer, its terms and the day of sending."""
        return self.depends_on == ("terms",)

    @property
    def is_asked_of_terms(self) -> bool:
        """Tell whether it follows from the offer, its terms and the day of sending if the clause applies at all."""
        return self.when is None or all(
            root in ("offer", "send_date", "limits") or (root, name) == ("text", "terms")
            for root, name in self.when.reads
        )

    @property
    def approval(self) -> str:
        """Return how an approved copy block names this clause: policy/clause@version#question.

        Of the question, the beginning of its hash: copy was read against one, and another is another clause even where
        nobody raised the version.
        """
        return _approval(self)

    def result(
        self, result: Result, *, evidence: tuple[Evidence, ...] = (), error_code: str | None = None
    ) -> ClauseResult:
        """Return this clause's line of a report."""
        plain = _plain_result(self, result, error_code)
        return plain.model_copy(update={"evidence": evidence}) if evidence else plain


@lru_cache(maxsize=2048)
def _approval(active: ActiveClause) -> str:
    named = f"{active.policy_id}/{active.clause.id}@{active.policy_version}"
    return f"{named}#{question_sha(active.clause.question)}" if isinstance(active.clause, JudgeClause) else named


@lru_cache(maxsize=1024)
def question_sha(question: str) -> str:
    """Return what names a question; its line breaks don't matter."""
    return hashlib.sha256(" ".join(question.split()).encode()).hexdigest()[:QUESTION_SHA]


def compile_clause(clause: Clause, policy: FrontMatter, detectors: Mapping[str, Detector]) -> ActiveClause:
    """Compile one clause.

    Raises:
        ClauseInvalid: it contradicts its policy, names something unknown, or doesn't compile.
    """
    if policy.basis == "law" and clause.severity == "warn":
        raise ClauseInvalid(("severity",), "a clause that rests on law can't be warn; use block or fix")
    when = _compile("when", clause.when, policy)
    check = _compile("check", clause.check, policy) if isinstance(clause, CelClause) else None
    try:
        check_asked(when, check)
    except CelInvalid as error:
        raise ClauseInvalid(*_unasked(clause, error)) from error
    pattern = _pattern(clause) if isinstance(clause, PatternClause) else None
    depends_on = _depends_on(clause, (when, check), detectors)
    if early := set(depends_on) - READABLE[clause.stage]:
        later = max(early, key=STAGES.index)
        raise ClauseInvalid(("stage",), f"a clause of stage {clause.stage} reads what only exists at stage {later}")
    if not isinstance(clause, JudgeClause | AttestClause):
        for side in ("violating", "conforming"):
            if not getattr(clause.examples, side):
                raise ClauseInvalid(("examples",), f"give at least one {side} example; it is run as the clause's test")
    return ActiveClause(policy.id, policy.version, clause, depends_on, when, check, pattern)


@lru_cache(maxsize=8192)
def _plain_result(active: ActiveClause, result: Result, error_code: str | None) -> ClauseResult:
    # Results are frozen, and most clauses pass: the same line serves every report.
    return ClauseResult(
        policy_id=active.policy_id,
        policy_version=active.policy_version,
        clause_id=active.clause.id,
        kind=active.clause.kind,
        stage=active.clause.stage,
        depends_on=active.depends_on,
        result=result,
        severity=active.clause.severity,
        error_code=error_code,
    )


def _compile(field: str, expression: str | None, policy: FrontMatter) -> CelTest | None:
    if expression is None:
        return None
    try:
        return compile_cel(expression, policy.limits)
    except CelInvalid as error:
        raise ClauseInvalid((field,), str(error), error.offset) from error


def _unasked(clause: Clause, error: CelInvalid) -> tuple[tuple[str], str, int | None]:
    """Return where a clause reads the offer field that it doesn't ask for: the check first, as it acts without it."""
    reason = str(error)
    read = re.compile(rf"\b{re.escape(reason.partition(' ')[0])}\b")
    for field in ("check", "when"):
        if found := read.search(getattr(clause, field, None) or ""):
            return (field,), reason, found.start()
    return ("check" if isinstance(clause, CelClause) else "when",), reason, None


def _pattern(clause: PatternClause) -> PatternTest:
    for phrase in map(phrase_regex, clause.phrases):
        compile_regex(phrase)  # a phrase of plain words always compiles; this says so at load, not at the first draft
    for side in ("forbid", "require", "unless"):
        for index, pattern in enumerate(getattr(clause, side)):
            try:
                compile_regex(pattern)
            except RegexInvalid as error:
                raise ClauseInvalid((side, index), str(error), error.offset) from error
    return compile_pattern(
        clause.fields,
        forbid=clause.forbidden,
        require=clause.require,
        unless=clause.unless,
        within=clause.within,
    )


def _detector(clause: CodeClause, detectors: Mapping[str, Detector]) -> Detector:
    detector = detectors.get(clause.detector)
    if detector is None:
        known = ", ".join(sorted(detectors)) or "none"
        raise ClauseInvalid(("detector",), f"unknown detector {clause.detector!r}; known: {known}")
    if unknown := set(clause.params) - detector.params:
        takes = ", ".join(sorted(detector.params)) or "no parameters"
        name = min(unknown)
        raise ClauseInvalid(("params", name), f"detector {detector.name} has no parameter {name!r}; it takes {takes}")
    return detector


def _depends_on(
    clause: Clause, tests: tuple[CelTest | None, ...], detectors: Mapping[str, Detector]
) -> tuple[Stage, ...]:
    stages: set[Stage] = set()
    for root, field in frozenset().union(*(test.reads for test in tests if test is not None)):
        if root == "text":
            stages.add(_stage_of_field(field))
        elif root != "limits":
            stages.add("member" if root == "member" else "terms")
    if isinstance(clause, PatternClause):
        stages.update(map(_stage_of_field, (*clause.fields, *(TEXT_FIELDS if clause.within == "any" else ()))))
    elif isinstance(clause, CodeClause):
        stages.update(_detector(clause, detectors).depends_on)
    elif isinstance(clause, JudgeClause):
        stages.update(("terms", "copy"))
    return tuple(stage for stage in STAGES if stage in stages) or (clause.stage,)


def _stage_of_field(field: str) -> Stage:
    if field in MESSAGE_FIELDS:
        return "message"
    return "terms" if field == "terms" else "copy"
