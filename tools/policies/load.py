"""Policy files read, checked and compiled. A policy that can't be enforced as written stops the start."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import cel
from pydantic import ValidationError

from tools.errors import PolicyInvalid
from tools.policies.case import Case
from tools.policies.cel import CelTest
from tools.policies.clauses import ActiveClause, ClauseInvalid, compile_clause
from tools.policies.comparison import PolicyText
from tools.policies.examples import run_examples as run_examples_of
from tools.policies.policy_set import Policy, PolicySet, policy_sha
from tools.policies.schema import FrontMatter
from tools.policies.source import Source, is_policy_file, parse_source, read_source
from tools.policies.standard import standard_subject
from tools.subject import Detector

README = "README.md"
"""The one Markdown file of the folder that is no policy."""


def load_policies(directory: Path, *, detectors: Mapping[str, Detector], run_examples: bool = True) -> PolicySet:
    """Read every policy of a folder.

    Raises:
        PolicyInvalid: the first thing, by file and line, that can't be enforced as written, with what to do about it.
    """
    policies, problems = _read_all(directory, detectors, run_examples=run_examples)
    if problems:
        raise problems[0]
    return PolicySet.of(policies)


def lint(directory: Path, *, detectors: Mapping[str, Detector]) -> list[PolicyInvalid]:
    """Return everything that would stop the start, by file and line; none means that the folder loads."""
    return _read_all(directory, detectors, run_examples=True)[1]


def read_text(text: str, path: Path) -> PolicyText:
    """Return what a policy says, its form checked and nothing of it compiled. Raises PolicyInvalid."""
    source = parse_source(text.removeprefix("\ufeff"), path)
    try:
        return PolicyText(FrontMatter.model_validate(source.data), source.prose)
    except ValidationError as error:
        raise _schema_problems(source, error)[0] from error


def read_stored(content: str, path: Path) -> PolicyText:
    """Return what a policy says as the ledger keeps it: a whole file, or front matter as JSON above the prose.

    Raises PolicyInvalid, also for what an older version allowed and this one doesn't.
    """
    if is_policy_file(content):
        return read_text(content, path)
    front, _, prose = content.partition("\n\n")
    try:
        return PolicyText(FrontMatter.model_validate_json(front), prose)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "front matter"
        raise PolicyInvalid(path, 1, f"{where}: {first['msg']}; it was written for an older version") from error


def parse_policy(text: str, *, name: str, detectors: Mapping[str, Detector]) -> Policy:
    """Compile the text of a policy that no file holds, and run its examples; faults are told of `name`.

    Its `status` is read as active: whether it is in force is recorded beside the text, not in it.
    Raises PolicyInvalid with every fault, a line each.
    """
    path = Path(name)
    source = parse_source(text.removeprefix("\ufeff"), path)
    policy, problems = _compiled(source, detectors, run_examples=True)
    if policy is not None and policy.front.status == "retired":
        reason = "status: retired can't come into force; write draft or active"
        problems.append(PolicyInvalid(path, source.lines.at("status"), reason))
    if policy is None or problems:
        problems.sort(key=lambda problem: problem.line)
        rest = "".join(f"\n{problem}" for problem in problems[1:])
        raise PolicyInvalid(path, problems[0].line, f"{problems[0].reason}{rest}")
    front = policy.front.model_copy(update={"status": "active"})
    return replace(policy, front=front, sha=policy_sha(front, policy.prose), origin="database")


def _read_all(
    directory: Path, detectors: Mapping[str, Detector], *, run_examples: bool
) -> tuple[list[Policy], list[PolicyInvalid]]:
    paths = sorted(path for path in directory.glob("*.md") if path.name != README)
    if not paths:
        return [], [PolicyInvalid(directory, 1, "there is no policy here; nothing can pass without one")]
    policies: list[Policy] = []
    problems: list[PolicyInvalid] = []
    ids: dict[str, Path] = {}
    for path in paths:
        policy, found = _read(path, detectors, run_examples=run_examples)
        if policy is not None:
            other = ids.setdefault(policy.id.casefold(), path)
            if other != path:
                found.append(PolicyInvalid(path, 2, f"the id {policy.id!r} is taken by {other.name}; choose another"))
            policies.append(policy)
        problems += sorted(found, key=lambda problem: (problem.line, problem.column))
    return policies, problems


def _read(
    path: Path, detectors: Mapping[str, Detector], *, run_examples: bool
) -> tuple[Policy | None, list[PolicyInvalid]]:
    try:
        source = read_source(path)
    except PolicyInvalid as error:
        return None, [error]
    policy, problems = _compiled(source, detectors, run_examples=run_examples)
    if policy is not None and policy.id != path.stem:
        reason = f"the id {policy.id!r} is not the file's name; call it {policy.id}.md"
        problems.insert(0, PolicyInvalid(path, source.lines.at("id"), reason))
    return policy, problems


def _compiled(
    source: Source, detectors: Mapping[str, Detector], *, run_examples: bool
) -> tuple[Policy | None, list[PolicyInvalid]]:
    try:
        front = FrontMatter.model_validate(source.data)
    except ValidationError as error:
        return None, _schema_problems(source, error)
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
    for field, test in (("when", active.when), ("check", active.check)):
        if test is not None:
            _refuse_non_bool(field, test, context)
    return active


def _refuse_non_bool(field: str, test: CelTest, context: cel.Context) -> None:
    try:
        value = test.program.execute(context)
    except (KeyError, TypeError, ValueError, RuntimeError):
        # The standard subject need not have every fact; whether the clause works at all is for its examples to show.
        return
    if not isinstance(value, bool):
        raise ClauseInvalid((field,), f"the value is {value!r}; a clause must say true or false, so compare it")


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


def _schema_problems(source: Source, error: ValidationError) -> list[PolicyInvalid]:
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


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
