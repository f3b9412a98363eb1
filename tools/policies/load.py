"""Policy files read, checked and compiled. A policy that can't be enforced as written stops the start."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from tools.errors import PolicyInvalid
from tools.policies.comparison import PolicyText
from tools.policies.compiling import compile_text, schema_problems
from tools.policies.policy_set import Policy, PolicySet, policy_sha
from tools.policies.schema import FrontMatter
from tools.policies.source import is_policy_file, parse_source, policy_text
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
        raise schema_problems(source, error)[0] from error


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
    policy, problems = compile_text(text.removeprefix("\ufeff"), path, detectors, run_examples=True)
    if policy is not None and policy.front.status == "retired":
        reason = "status: retired can't come into force; write draft or active"
        problems.append(PolicyInvalid(path, parse_source(policy.text, path).lines.at("status"), reason))
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
        policy, problems = compile_text(policy_text(path), path, detectors, run_examples=run_examples)
    except PolicyInvalid as error:
        return None, [error]
    if policy is not None and policy.id != path.stem:
        reason = f"the id {policy.id!r} is not the file's name; call it {policy.id}.md"
        problems.insert(0, PolicyInvalid(path, parse_source(policy.text, path).lines.at("id"), reason))
    return policy, problems
