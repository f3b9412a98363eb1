"""What of a report stands for another member, what is asked anew, and answers that members share by what was read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from tools.policies.case import Reads
from tools.policies.clauses import ActiveClause
from tools.policies.plan import Found
from tools.policies.policy_set import PolicySet
from tools.report import ClauseResult, ComplianceReport
from tools.snapshot import Notes
from tools.subject import Scope, Subject

MOST_ANSWERS: Final = 32
"""Answers kept of one clause for one draft; a clause that finds more kinds of members is asked each time."""

_ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """A report cut into what stands and what is asked anew.

    `found` holds None at the places of `open`. `told` has one standing result of each kind that a verdict, or what is
    said of the judge, can tell apart. `reads` are the facts that expressions of the open clauses read.
    """

    found: tuple[Found | None, ...]
    open: tuple[tuple[int, ActiveClause], ...]
    told: tuple[ClauseResult, ...]
    reads: Reads


def standing_of(
    report: ComplianceReport, policies: PolicySet, scope: Scope, anew: Callable[[ActiveClause], bool]
) -> Standing:
    """Return what stands of a report: results of clauses in scope that need not be asked anew."""
    return _standing(_Same(report), policies, scope, anew)


class Answers:
    """The answers of code clauses to one draft, by the facts of a member that each was seen to read.

    A detector follows from its subject alone, so a member who has the same in all that it read gets the same answer.
    What goes through a member's facts one by one has read them all, and is asked each time.
    """

    def __init__(self) -> None:
        self._known: dict[ActiveClause, dict[_Names, dict[tuple[str, ...], Found]] | None] = {}

    def found(
        self, clause: ActiveClause, subject: Subject, ask: Callable[[Subject], tuple[Found, bool]]
    ) -> Found | None:
        """Return a clause's answer for a member; None when it must be asked of the whole member."""
        known = self._known.setdefault(clause, {})
        if known is None:
            return None
        for names, answers in known.items():
            if (found := answers.get(_values(subject, names))) is not None:
                return found
        seen = replace(subject, member=Watched(subject.member), personal=Watched(subject.personal))
        found, went_well = ask(seen)
        read = _read(seen)
        if not went_well or read is None or sum(map(len, known.values())) >= MOST_ANSWERS:
            self._known[clause] = None
            return None
        known.setdefault(read, {})[_values(subject, read)] = found
        return found


class Watched(Mapping[str, Any]):
    """A member's facts that note which of them are read; `whole` once somebody asked for all of them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values
        self.read: dict[str, None] = {}
        self.whole = False

    def __getitem__(self, name: str) -> Any:
        """Return a fact. Raises KeyError when it isn't known, which is something read as well."""
        self.read[name] = None
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        """Yield the names: from here on all counts as read."""
        self.whole = True
        return iter(self._values)

    def __len__(self) -> int:
        """Return how many facts there are: from here on all counts as read."""
        self.whole = True
        return len(self._values)


_Names = tuple[tuple[str, ...], tuple[str, ...]]


def answers_of(notes: Notes) -> Answers:
    """Return the answers kept in the notes of one draft."""
    answers: Answers = notes.setdefault("answers", Answers())
    return answers


def _read(subject: Subject) -> _Names | None:
    member, personal = subject.member, subject.personal
    assert isinstance(member, Watched) and isinstance(personal, Watched)
    return None if member.whole or personal.whole else (tuple(member.read), tuple(personal.read))


def _values(subject: Subject, names: _Names) -> tuple[str, ...]:
    # As Python writes them: equality takes True for 1, and 1 for 1.0.
    return tuple(
        repr(values[name]) if name in values else _ABSENT
        for values, asked in zip((subject.member, subject.personal), names, strict=True)
        for name in asked
    )


class _Same:
    """A report by identity: hashing its hundreds of results would cost more than what is kept by it."""

    __slots__ = ("report",)

    def __init__(self, report: ComplianceReport) -> None:
        self.report = report

    def __hash__(self) -> int:
        return id(self.report)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.report is other.report


@lru_cache(maxsize=1024)
def _standing(same: _Same, policies: PolicySet, scope: Scope, anew: Callable[[ActiveClause], bool]) -> Standing:
    report = same.report
    results = {(item.policy_id, item.clause_id): item for item in report.results}
    told = {(item.policy_id, item.clause_id): item for item in report.violations}
    found: list[Found | None] = []
    left: list[tuple[int, ActiveClause]] = []
    for at, clause in enumerate(policies.clauses(scope, report.stages_run)):
        stands = None if anew(clause) else results.get(clause.key)
        found.append(None if stands is None else (stands, told.get(clause.key)))
        if stands is None:
            left.append((at, clause))
    kinds = {
        (one[0].severity == "warn", one[0].kind == "judge", one[0].result, one[0].error_code): one[0]
        for one in found
        if one is not None
    }
    tests = [test for _, clause in left for test in (clause.when, clause.check) if test is not None]
    reads = Reads.of(read for test in tests for read in test.reads)
    return Standing(tuple(found), tuple(left), tuple(kinds.values()), reads)
