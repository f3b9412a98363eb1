"""One policy's text compiled and its examples run: once in a process, however often the same text is loaded."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final

import cel
from pydantic import ValidationError

from tools.errors import PolicyInvalid
from tools.policies.case import Case
from tools.policies.cel import CelTest
from tools.policies.clauses import ActiveClause, ClauseInvalid, compile_clause
from tools.policies.examples import run_examples as run_examples_of
from tools.policies.policy_set import Policy, policy_sha
from tools.policies.schema import FrontMatter
from tools.policies.source import Source, parse_source
from tools.policies.standard import standard_subject
from tools.subject import Detector

REMEMBERED: Final = 1024
"""Sound policies a process keeps compiled: the folder's, those of the ledger, and what is being tried out."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What a policy says. Where it stands is told in faults, and changes nothing about what it means."""

    text: str
    path: Path = field(compare=False)


class _Faulty(Exception):
    """A text has faults; raised so that it is not remembered."""

    def __init__(self, policy: Policy | None, problems: list[PolicyInvalid]) -> None:
        super().__init__()
        self.policy, self.problems = policy, problems


def compile_text(
    text: str, path: Path, detectors: Mapping[str, Detector], *, run_examples: bool
) -> tuple[Policy | None, list[PolicyInvalid]]:
    """Compile a policy's text and, if asked, run its examples; return it as far as it goes, and every fault.

    Text that was sound under the same detectors is neither compiled nor tested again: the same policy is returned.
    Raises PolicyInvalid for text that can't be taken apart.
    """
    try:
        policy = _sound(_Text(text, path), frozenset(detectors.items()), run_examples)
    except _Faulty as faulty:
        return faulty.policy, faulty.problems
    return (policy if policy.path == path else replace(policy, path=path)), []


def schema_problems(source: Source, error: ValidationError) -> list[PolicyInvalid]:
    """Return what is wrong with the form of a policy's front matter, a fault for each line and key."""
    problems: dict[tuple[int, str], PolicyInvalid] = {}
    for fault in error.errors():
        location = fault["loc"]
        # Pydantic names the chosen branch of a union in the path; the file has no such key.
        if location[:1] == ("clauses",):
            location = (*location[:2], *location[3:])
        where = ".".join(map(str, location)) or "front matter"
        if fault["type"] == "extra_forbidden":
            reason = f"{where}: unknown key; check its spelling or take it out"
        elif fault["type"] == "missing":
            reason = f"{where}: missing; add it"
        else:
            reason = f"{where}: {fault['msg'].removeprefix('Value error, ')}, got {_short(fault['input'])}"
        line, column = source.lines.place(*location)
        problems.setdefault((line, where), PolicyInvalid(source.path, line, reason, column))
    return list(problems.values())


# Threads that load the same text at once may each compile it; the results say the same.
@lru_cache(maxsize=REMEMBERED)
def _sound(written: _Text, detectors: frozenset[tuple[str, Detector]], run_examples: bool) -> Policy:
    source = parse_source(written.text, written.path)
    policy, problems = _compiled(source, dict(detectors), run_examples=run_examples)
    if policy is None or problems:
        raise _Faulty(policy, problems)
    return policy


def _compiled(
    source: Source, detectors: Mapping[str, Detector], *, run_examples: bool
) -> tuple[Policy | None, list[PolicyInvalid]]:
    try:
        front = FrontMatter.model_validate(source.data)
    except ValidationError as error:
        return None, schema_problems(source, error)
    problems: list[PolicyInvalid] = []
    if not front.brief and front.needs_brief():
        where = source.lines.at("brief")
        problems.append(
            PolicyInvalid(source.path, where, "brief: is empty, but a draft can break this policy; say how not to")
        )
    compiled: list[ActiveClause] = []
    context = Case(standard_subject(), ()).context
    for index in range(len(front.clauses)):
        try:
            active = _compile(index, front, detectors, context)
        except ClauseInvalid as error:
            problems.append(_in_clause(source, front, index, error.location, error.reason, error.offset))
            continue
        compiled.append(active)
        if run_examples:
            problems += [
                _in_clause(source, front, index, failed.location, str(failed))
                for failed in run_examples_of(active, detectors)
            ]
    sha = policy_sha(front, source.prose)
    return Policy(front, source.prose, source.path, tuple(compiled), sha, source.text), problems


def _compile(index: int, front: FrontMatter, detectors: Mapping[str, Detector], context: cel.Context) -> ActiveClause:
    clause = front.clauses[index]
    if clause.id in (earlier.id for earlier in front.clauses[:index]):
        raise ClauseInvalid(("id",), "an earlier clause has this id; choose another")
    active = compile_clause(clause, front, detectors)
    for name, test in (("when", active.when), ("check", active.check)):
        if test is not None:
            _refuse_non_bool(name, test, context)
    return active


def _refuse_non_bool(name: str, test: CelTest, context: cel.Context) -> None:
    try:
        value = test.program.execute(context)
    except (KeyError, TypeError, ValueError, RuntimeError):
        # The standard subject need not have every fact; whether the clause works at all is for its examples to show.
        return
    if not isinstance(value, bool):
        raise ClauseInvalid((name,), f"the value is {value!r}; a clause must say true or false, so compare it")


def _in_clause(
    source: Source,
    front: FrontMatter,
    index: int,
    location: tuple[str | int, ...],
    reason: str,
    offset: int | None = None,
) -> PolicyInvalid:
    line, column = source.lines.place("clauses", index, *location, offset=offset)
    return PolicyInvalid(source.path, line, f"clause {front.clauses[index].id!r}: {reason}", column)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
