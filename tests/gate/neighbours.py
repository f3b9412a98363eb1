"""Honest sentences beside violations: what a sentence earns for itself must excuse no other.

Every violating example and every plant of a clause of copy is put behind, before and between honest sentences such as
our own bodies and terms hold, and beside them in another field. The clause must find it as it does alone.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tests.gate.mutate import CannotPlant, fits, planted, scope_of
from tests.gate.offers import Book, Compliant
from tests.gate.plants import Plants
from tests.gate.sentences import sentences_for
from tools.errors import TemplateFault
from tools.policies import Policy, PolicySet
from tools.policies.case import Case
from tools.policies.clauses import ActiveClause
from tools.policies.evaluation import Helpers, evaluate
from tools.policies.examples import subject_of
from tools.report import Evidence
from tools.snapshot import Memory
from tools.subject import Subject
from tools.vocabulary import COPY_FIELDS

_CLOSED: Final = frozenset(".!?\"')")
PLACES: Final = ("before", "after", "between", "beside")
"""Where the honest sentence stands: before or after the violation, on both sides of it, or in another field."""


WHOLE: Final = {
    ("FMT-01", "subject_length"): "a length is the whole field's",
    ("FMT-01", "preheader_length"): "a length is the whole field's",
    ("MBOX-07", "link_text_says_where"): "a link's whole text",
    ("UDAAP-20", "cta_says_what_it_does"): "a button's whole text",
    ("SPAM-01", "no_false_thread"): "how a subject begins",
    ("FREE-01", "free_states_conditions"): "16 CFR 251.1(c): the next sentence may state the conditions",
    ("UDAAP-03", "conditions_stated"): "what the copy lacks, the sentence may state",
    ("UDAAP-06", "no_false_urgency"): "urgency is true beside a date that is near",
    ("UDAAP-06", "limited_time_is_dated"): "the date may stand in another sentence",
    ("UDAAP-11", "not_automatic"): "the next sentence may say that one must enroll",
    ("UDAAP-12", "posting_time_stated"): "what the copy lacks, the sentence may state",
    ("UDAAP-17", "headline_kept"): "the body may keep the headline's promise in any sentence",
    ("UDAAP-19", "up_to_is_qualified"): "the next sentence may say how a maximum is reached",
    ("PRIV-05", "firm_offer_has_notice"): "the notice may stand in any field",
}
"""Clauses about a field or the copy as a whole, which an honest sentence may rightly change, and why."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A subject that breaks a clause, with the part of each field of copy that does it."""

    clause: ActiveClause
    name: str
    subject: Subject
    parts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Miss:
    """A violation that its clause no longer finds, where the honest sentence stands, and that sentence."""

    violation: Violation
    place: str
    sentence: str

    def line(self) -> str:
        """Say it on one line."""
        said = " | ".join(self.violation.parts.values())
        return f"{'/'.join(self.violation.clause.key)} {self.violation.name}: {said!r} {self.place} {self.sentence!r}"


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What became of one clause's violations beside honest sentences."""

    policy_id: str
    clause_id: str
    violations: int
    put: int
    misses: tuple[Miss, ...]


class Neighbourhood:
    """One gate, asked clause by clause about violations with honest sentences beside them."""

    def __init__(self, book: Book, bases: Sequence[Compliant], plants: Plants) -> None:
        self._gate, self._bases, self._plants = book.gate, bases, plants
        self._memory = Memory()
        detectors = book.gate.detectors
        self._helpers = Helpers(detectors, merchant_names=book.gate.merchant_names)
        self._of_examples = Helpers({name: one.for_examples or one for name, one in detectors.items()})

    def violations(self, policy: Policy, active: ActiveClause) -> Iterator[Violation]:
        """Yield a clause's violating examples and plants that are sentences of copy."""
        for index, example in enumerate(active.clause.examples.violating):
            parts = {field: text for field, text in example.text.items() if field in COPY_FIELDS and text.strip()}
            if parts and self._finds(active, subject := subject_of(example)):
                yield Violation(active, f"example {index + 1}", subject, parts)
        for index, plant in enumerate(self._plants.of(*active.key)):
            for base in self._bases:
                concerned = policy.applies(scope_of(base.subject.scope, plant.offer, plant.member))
                if not concerned or not fits(base, plant.on):
                    continue
                try:
                    subject = planted(base, plant, with_message=False)
                except (CannotPlant, TemplateFault):
                    continue
                written = {**plant.set, **plant.add}
                parts = {name: base.filled(text) for name, text in written.items() if name in COPY_FIELDS and text}
                if parts and self._finds(active, subject):
                    yield Violation(active, f"plant {index + 1}", subject, parts)
                    break

    @property
    def policies(self) -> PolicySet:
        """The policies whose clauses are asked."""
        return self._gate.policies

    def finds(self, policy_id: str, clause_id: str, subject: Subject) -> bool:
        """Tell whether a clause finds anything in a subject of examples."""
        clauses = self._gate.policies.clauses(subject.scope, ("copy",))
        return self._finds(next(each for each in clauses if each.key == (policy_id, clause_id)), subject)

    def row(self, policy: Policy, active: ActiveClause, *, sample: random.Random | None = None) -> Neighbours:
        """Put a clause's violations beside the sentences; with `sample`, each beside one, in one place."""
        misses: list[Miss] = []
        violations = tuple(self.violations(policy, active))
        put = 0
        for violation in violations:
            cases = [(place, sentence) for place in PLACES for sentence in sentences_for(violation.subject)]
            for place, sentence in [sample.choice(cases)] if sample is not None else cases:
                put += 1
                subject = placed(violation, place, sentence)
                if not self._finds(active, subject, sentence):
                    misses.append(Miss(violation, place, sentence))
        return Neighbours(*active.key, len(violations), put, tuple(misses))

    def _finds(self, active: ActiveClause, subject: Subject, sentence: str = "") -> bool:
        """Tell whether a clause finds anything but the honest sentence itself."""
        is_example = subject.member.get("average_monthly_spend_usd") == 1200.0
        helpers = self._of_examples if is_example else self._helpers
        case = Case(subject, () if is_example else self._gate.merchant_names, memory=self._memory)
        outcome = evaluate(active, case, helpers)
        return outcome.result == "violate" and any(
            not sentence or _is_other(item, subject, sentence) for item in outcome.evidence
        )


def copy_clauses(policies: PolicySet, only: str | None = None) -> Iterator[tuple[Policy, ActiveClause]]:
    """Yield the clauses of an email's copy that code answers sentence by sentence: `WHOLE` names the others."""
    for policy in policies.active:
        if policy.scope.has_email and only in (None, policy.id):
            for active in policy.clauses:
                is_copy = active.clause.stage == "copy" and active.clause.kind in ("pattern", "code")
                if is_copy and active.key not in WHOLE:
                    yield policy, active


def _is_other(item: Evidence, subject: Subject, sentence: str) -> bool:
    text = subject.text.get(item.field, "")
    if not item.quote or item.start is None or item.end is None:
        return True
    at = text.find(sentence)
    while at >= 0:
        if at <= item.start and item.end <= at + len(sentence):
            return False
        at = text.find(sentence, at + 1)
    return True


def placed(violation: Violation, place: str, sentence: str) -> Subject:
    """Return the violation's subject with an honest sentence put there."""
    text = dict(violation.subject.text)
    if place == "beside":
        field = next(
            name for name in ("body", "headline", "preheader", "subject", "cta") if name not in violation.parts
        )
        text[field] = f"{text[field]} {sentence}".strip() if field == "body" else sentence
    else:
        for field, part in violation.parts.items():
            before = f"{sentence} " if place != "after" else ""
            close = "" if part.rstrip()[-1:] in _CLOSED else "."
            after = f"{close} {sentence}" if place != "before" else ""
            text[field] = text[field].replace(part, f"{before}{part}{after}")
    return replace(violation.subject, text=text, approved={})
