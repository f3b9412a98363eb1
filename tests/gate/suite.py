"""The mutation suite: each clause's plants on several compliant offers, and the clean offers beside them."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from tests.gate.judging import ScriptedJudge
from tests.gate.mutate import CannotPlant, fits, planted, scope_of, written_fields
from tests.gate.offers import FOREVER, Book, Compliant
from tests.gate.plants import ENOUGH, PLANTS, Plant, Plants
from tools.errors import TemplateFault
from tools.policies import Attestation, Gate, Judge, Policy
from tools.policies.case import Case
from tools.policies.clauses import ActiveClause
from tools.policies.evaluation import Helpers, evaluate
from tools.policies.schema import AttestClause, JudgeClause
from tools.report import Result
from tools.subject import Subject

BASES: Final = 3
"""Offers each plant is put on, of different domains where the clause allows."""
TRIED: Final = 40
"""Offers of a domain that are asked whether a clause concerns them before the next domain is."""


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one clause's plants. `misses` says of each that got through where it stands and on which base."""

    policy_id: str
    clause_id: str
    kind: str
    planted: int
    caught: int
    bases: int
    misses: tuple[str, ...]
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether the clause has plants enough and caught every one."""
        return self.planted >= ENOUGH and self.caught == self.planted and not self.misses


@dataclass(frozen=True, slots=True)
class Clean:
    """What the gate said of compliant offers: by clause, those it called violations, and those not shown to pass."""

    offers: int
    blocked: Mapping[str, tuple[str, ...]]
    held: Mapping[str, tuple[str, ...]]

    @property
    def holds(self) -> bool:
        """Whether every compliant offer passed."""
        return not self.blocked and not self.held

    @property
    def counts(self) -> tuple[int, int]:
        """How many offers were blocked, and how many others held."""
        blocked = {said.partition(" ")[0] for one in self.blocked.values() for said in one}
        held = {said.partition(" ")[0] for one in self.held.values() for said in one}
        return len(blocked), len(held - blocked)

    def lines(self) -> list[str]:
        """Return a line a clause, with the first of its offers."""
        return [
            f"{clause}: {what} {len(said)} compliant offers, the first {said[0]}"
            for what, found in (("blocks", self.blocked), ("holds", self.held))
            for clause, said in found.items()
        ]


@dataclass(frozen=True, slots=True)
class _Put:
    """A plant on its bases: what the clause said on each, and why there are no more."""

    results: tuple[tuple[Compliant, Result], ...]
    why: str


def run_suite(book: Book, bases: Sequence[Compliant], plants: Plants, *, only: str | None = None) -> Iterator[Row]:
    """Yield a row for every active clause, or for one policy's, in the order of policies and files."""
    for policy in book.gate.policies.active:
        if only in (None, policy.id):
            for active in policy.clauses:
                if isinstance(active.clause, AttestClause):
                    yield _attest_row(book.gate, bases, policy, active, active.clause.attested_by)
                else:
                    yield _row(book.gate, bases, plants, policy, active)


def run_clean(gate: Gate, offers: Sequence[Compliant], *, advance: Callable[[], object] = lambda: None) -> Clean:
    """Check compliant offers whole: every clause of every stage, an email's built message included."""
    blocked: dict[str, list[str]] = defaultdict(list)
    held: dict[str, list[str]] = defaultdict(list)
    for offer in offers:
        subject, stages = offer.whole
        report = gate.check(subject, stages=stages)
        results = {(result.policy_id, result.clause_id): result.result for result in report.results}
        for item in report.violations:
            clause = f"{item.policy_id}/{item.clause_id}"
            if results[item.policy_id, item.clause_id] == "violate":
                blocked[clause].append(f"{offer.name} ({offer.terms.option_id}): {item.field} {item.quote!r}")
            else:
                held[clause].append(f"{offer.name} ({offer.terms.option_id}): {item.message}")
        if report.verdict != "pass" and not report.violations:
            held["no clause"].append(f"{offer.name}: {report.verdict}")
        advance()
    return Clean(len(offers), *({name: tuple(said) for name, said in one.items()} for one in (blocked, held)))


def _row(gate: Gate, bases: Sequence[Compliant], plants: Plants, policy: Policy, active: ActiveClause) -> Row:
    found = plants.of(*active.key)
    misses: list[str] = []
    used: set[str] = set()
    for index, plant in enumerate(found):
        put = _put(gate, bases, policy, active, plant, turn=index)
        used |= {base.terms.domain for base, _ in put.results}
        if said := _miss(put):
            where = f"{PLANTS.name}/{policy.id}.yaml:{plants.line(*active.key, index)}"
            misses.append(f"{where}: {active.clause.id}: {said}")
    caught = len(found) - len(misses)
    if len(found) < ENOUGH:
        misses.append(
            f"{PLANTS.name}/{policy.id}.yaml: {active.clause.id}: {len(found)} plants; write {ENOUGH} or more"
        )
    note = "answered by a scripted judge" if isinstance(active.clause, JudgeClause) else ""
    clause = active.clause
    return Row(policy.id, clause.id, clause.kind, len(found), caught, len(used), tuple(misses), note)


def _miss(put: _Put) -> str:
    if len(put.results) < BASES:
        return f"fits {len(put.results)} offers, {BASES} are needed: {put.why}"
    through = [f"{base.name} ({base.terms.option_id}): {result}" for base, result in put.results if result != "violate"]
    return f"not caught on {'; '.join(through)}" if through else ""


def _put(
    gate: Gate, bases: Sequence[Compliant], policy: Policy, active: ActiveClause, plant: Plant, *, turn: int
) -> _Put:
    """Put a plant on offers that the clause concerns: one a domain, then of other offer types, then any."""
    candidates = [
        base
        for base in _bases_of(policy, bases)
        if fits(base, plant.on) and policy.applies(scope_of(base.subject.scope, plant.offer, plant.member))
    ]
    random.Random(f"{active.key} {turn}").shuffle(candidates)
    results: list[tuple[Compliant, Result]] = []
    tried: set[str] = set()
    why = "no offer is in the policy's scope and of the kind that `on` asks for"

    def attempt(base: Compliant) -> bool:
        nonlocal why
        tried.add(base.name)
        try:
            subject = planted(base, plant, with_message=active.clause.stage == "message")
        except (CannotPlant, TemplateFault) as error:
            why = str(error)
            return False
        result = _result(gate, active, subject, _judge(active, base, plant))
        if result == "not_applicable":
            why = "the clause's `when` is false for the others, planted as they are"
            return False
        results.append((base, result))
        return True

    for domain in dict.fromkeys(base.terms.domain for base in candidates):
        if len(results) < BASES:
            any(attempt(base) for base in [one for one in candidates if one.terms.domain == domain][:TRIED])
    while len(results) < BASES and (left := [base for base in candidates if base.name not in tried]):
        types = {base.terms.offer_type for base, _ in results}
        attempt(min(left, key=lambda base: base.terms.offer_type in types))
    return _Put(tuple(results), why)


def _bases_of(policy: Policy, bases: Sequence[Compliant]) -> Iterator[Compliant]:
    """Yield the emails; for a policy that is not for emails, the messages of other channels."""
    return (base for base in bases if (base.subject.scope.delivery == "email") == policy.scope.has_email)


def _judge(active: ActiveClause, base: Compliant, plant: Plant) -> Judge | None:
    if not isinstance(active.clause, JudgeClause):
        return None
    return ScriptedJudge(*active.key, tuple(base.filled(text) for text in written_fields(plant)))


def _result(gate: Gate, active: ActiveClause, subject: Subject, judge: Judge | None = None) -> Result:
    """Return what the clause says of a subject, as the gate would; a clause the gate would not run says nothing."""
    if active not in gate.policies.clauses(subject.scope, (active.clause.stage,)):
        return "not_applicable"
    helpers = Helpers(gate.detectors, gate.attestations, gate.merchant_names, gate.blocks, judge)
    return evaluate(active, Case(subject, gate.merchant_names), helpers).result


def _attest_row(gate: Gate, bases: Sequence[Compliant], policy: Policy, active: ActiveClause, attested_by: str) -> Row:
    """Let nobody vouch, let the word have ended the day before, let it be another fact's: each must hold the offer."""
    spread = [base for base in _bases_of(policy, bases) if policy.applies(base.subject.scope)]
    chosen = list({base.terms.domain: base for base in spread}.values())[:BASES] or spread[:BASES]
    misses = []
    for name, attestations in _UNATTESTED.items():
        for base in chosen:
            given = attestations(attested_by, base)
            report = replace(gate, attestations=given).check(base.subject, stages=(active.clause.stage,))
            result = next(item.result for item in report.results if item.clause_id == active.clause.id)
            if result != "unknown" or report.verdict == "pass":
                misses.append(f"{policy.id}/{active.clause.id}: {name}: {result} on {base.name}")
    caught = len(_UNATTESTED) - len({miss.rsplit(":", 1)[0] for miss in misses})
    if len(chosen) < BASES:
        misses.append(f"{policy.id}/{active.clause.id}: fits {len(chosen)} offers, {BASES} are needed")
    domains = {base.terms.domain for base in chosen}
    note = "nobody vouches, the word ended, another fact's"
    return Row(policy.id, active.clause.id, "attest", len(_UNATTESTED), caught, len(domains), tuple(misses), note)


_UNATTESTED: Final[dict[str, Callable[[str, Compliant], dict[str, Attestation]]]] = {
    "nobody vouches": lambda name, base: {},
    "the word ended": lambda name, base: {name: Attestation("somebody", base.subject.send_date - timedelta(days=1))},
    "another fact's": lambda name, base: {f"not_{name}": Attestation("somebody", FOREVER)},
}
