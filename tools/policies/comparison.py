"""What differs between two versions of the policies, in words an officer reads, and whether it asks for more or less.

Compares what policies say, not what code makes of it: versions whose detectors are gone can be compared too.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tools.policies.schema import Clause, FrontMatter, PatternClause, PolicyScope

Effect = Literal["stricter", "looser", ""]
"""What a change does to the set: asks for more, asks for less, or can't be told from the text alone."""
Kind = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class PolicyText:
    """One policy as written."""

    front: FrontMatter
    prose: str


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. `clause` is empty for what belongs to the whole policy."""

    clause: str
    what: str
    effect: Effect = ""


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """All that differs in one policy."""

    policy_id: str
    kind: Kind
    versions: tuple[str | None, str | None]
    changes: tuple[Change, ...] = field(default=())


def compare(old: Mapping[str, PolicyText], new: Mapping[str, PolicyText]) -> tuple[PolicyChange, ...]:
    """Return the policies that differ, by id; equal ones are left out."""
    found = []
    for policy_id in sorted(old.keys() | new.keys()):
        before, after = old.get(policy_id), new.get(policy_id)
        if before is None and after is not None:
            found.append(
                PolicyChange(policy_id, "added", (None, after.front.version), tuple(_whole(after, "stricter")))
            )
        elif after is None and before is not None:
            found.append(
                PolicyChange(policy_id, "removed", (before.front.version, None), tuple(_whole(before, "looser")))
            )
        elif before is not None and after is not None and (changes := tuple(_changes(before, after))):
            versions = before.front.version, after.front.version
            found.append(PolicyChange(policy_id, "changed", versions, changes))
    return tuple(found)


def _whole(policy: PolicyText, effect: Effect) -> Iterator[Change]:
    if policy.front.status != "active":
        yield Change("", f"status {policy.front.status}: not enforced")
        return
    for clause in policy.front.clauses:
        yield Change(
            clause.id, f"{clause.kind}, {clause.stage}, {clause.severity}: {clause.message}", _held(clause, effect)
        )


def _changes(old: PolicyText, new: PolicyText) -> Iterator[Change]:
    before, after = old.front, new.front
    found = [*_status(before, after), *_scope(before.scope, after.scope), *_limits(before.limits, after.limits)]
    found += [Change("", f"{name}: {_short(was)} -> {_short(now)}") for name, was, now in _plain(before, after)]
    if old.prose != new.prose:
        lines = [line for line in difflib.ndiff(old.prose.splitlines(), new.prose.splitlines()) if line[0] in "+-"]
        more, less = sum(line[0] == "+" for line in lines), sum(line[0] == "-" for line in lines)
        found.append(Change("", f"prose: {more} lines written, {less} taken out"))
    clauses = [*_clauses(before, after)]
    if (found or clauses) and before.version == after.version:
        found.append(Change("", f"version: still {after.version}; raise it, since results and approvals name it"))
    yield from (*found, *clauses)


def _status(before: FrontMatter, after: FrontMatter) -> Iterator[Change]:
    if before.status != after.status:
        effect: Effect = ""
        if "active" in (before.status, after.status):
            effect = "stricter" if after.status == "active" else "looser"
        yield Change("", f"status: {before.status} -> {after.status}", effect)


def _scope(before: PolicyScope, after: PolicyScope) -> Iterator[Change]:
    for name in PolicyScope.model_fields:
        was, now = frozenset(getattr(before, name)), frozenset(getattr(after, name))
        if was != now:
            wider, narrower = not now or (was and was < now), not was or (now and now < was)
            effect: Effect = "stricter" if wider else "looser" if narrower else ""
            yield Change("", f"applies to {name.replace('_', ' ')}: {_names(was)} -> {_names(now)}", effect)


def _limits(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        was, now = before.get(name), after.get(name)
        if was is None and now is not None:
            yield Change("", f"limit {name}: new, {now:g}", "stricter")
        elif now is None and was is not None:
            yield Change("", f"limit {name}: taken out, was {was:g}", "looser")
        elif was is not None and now is not None and was != now:
            stricter = (now < was) == name.startswith("max_")
            yield Change("", f"limit {name}: {was:g} -> {now:g}", "stricter" if stricter else "looser")


def _clauses(before: FrontMatter, after: FrontMatter) -> Iterator[Change]:
    was, now = ({clause.id: clause for clause in front.clauses} for front in (before, after))
    for clause_id in [*now, *(name for name in was if name not in now)]:
        old, new = was.get(clause_id), now.get(clause_id)
        if old is None and new is not None:
            yield Change(
                clause_id, f"new clause: {new.kind}, {new.stage}, {new.severity}: {new.message}", _held(new, "stricter")
            )
        elif new is None and old is not None:
            yield Change(clause_id, f"taken out, was {old.kind}, {old.severity}: {old.message}", _held(old, "looser"))
        elif old is not None and new is not None and old != new:
            yield from _clause(old, new)


def _clause(old: Clause, new: Clause) -> Iterator[Change]:
    was, now = old.model_dump(), new.model_dump()
    for name in {**was, **now}:
        before, after = was.get(name), now.get(name)
        if before == after:
            continue
        if name == "examples":
            sides = ", ".join(f"{len(getattr(new.examples, side))} {side}" for side in type(new.examples).model_fields)
            yield Change(new.id, f"examples: now {sides}")
        elif isinstance(before, tuple) and isinstance(after, tuple):
            yield from _lists(name, before, after, old, new)
        else:
            effect = _EFFECTS[name](before, after) if name in _EFFECTS else ""
            effect = effect if name == "severity" else _held(new, effect)
            yield Change(new.id, f"{name}: {_short(before)} -> {_short(after)}", effect)


def _lists(name: str, before: Sequence[Any], after: Sequence[Any], old: Clause, new: Clause) -> Iterator[Change]:
    """Say which entries came and went; a list of what is forbidden or required asks more with each, an excuse less."""
    more, less = _GROWING.get(name, ("", ""))
    if name == "fields" and isinstance(new, PatternClause) and isinstance(old, PatternClause):
        only_required = not new.forbidden and not old.forbidden
        only_forbidden = not new.require and not old.require
        more, less = ("looser", "stricter") if only_required else ("stricter", "looser") if only_forbidden else ("", "")
    for entry in (item for item in after if item not in before):
        yield Change(new.id, f"{name}: + {_short(entry)}", _held(new, more))
    for entry in (item for item in before if item not in after):
        yield Change(new.id, f"{name}: - {_short(entry)}", _held(new, less))


def _plain(before: FrontMatter, after: FrontMatter) -> Iterator[tuple[str, object, object]]:
    for name in ("type", "owner", "approved_by", "effective", "basis", "citation", "brief"):
        was, now = getattr(before, name), getattr(after, name)
        if was != now:
            yield name, was, now


def _held(clause: Clause, effect: Effect) -> Effect:
    """Return the effect; none where the clause only warns, since that holds no offer."""
    return "" if clause.severity == "warn" else effect


def _when(before: object, after: object) -> Effect:
    """A clause that loses its `when` concerns every offer, one that gets its first concerns fewer."""
    return "stricter" if after is None else "looser" if before is None else ""


def _severity(before: object, after: object) -> Effect:
    return "looser" if after == "warn" else "stricter" if before == "warn" else ""


def _within(before: object, after: object) -> Effect:
    order = ("sentence", "next", "field", "any")
    return "looser" if order.index(str(after)) > order.index(str(before)) else "stricter"


_EFFECTS: Final[dict[str, Callable[[object, object], Effect]]] = {
    "when": _when,
    "severity": _severity,
    "within": _within,
}
_GROWING: Final[dict[str, tuple[Effect, Effect]]] = {
    "phrases": ("stricter", "looser"),
    "forbid": ("stricter", "looser"),
    "require": ("stricter", "looser"),
    "unless": ("looser", "stricter"),
}
"""What an entry that comes, and one that goes, does to a clause."""


def _names(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "all"


def _short(value: object) -> str:
    text = "nothing" if value is None or value == {} else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 160 else f"{text[:157]}..."
