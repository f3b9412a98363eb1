"""A subject as clauses see it."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import cel

from tools.merchant_names import is_masked
from tools.policies.cel import context_of
from tools.policies.facts import MEMBER_FACTS, MESSAGE_FIELDS, OFFER_FACTS, TEXT_FIELDS, FactKind, typed
from tools.policies.pattern import Expressions, WrittenText
from tools.snapshot import Memory, once_for_terms, snapshot
from tools.subject import Subject
from tools.vocabulary import COPY_FIELDS, CopyField


@dataclass(frozen=True, slots=True)
class Reads:
    """The facts that some expressions read: making others ready for them would be for nothing."""

    offer: tuple[str, ...]
    member: Mapping[str, FactKind]
    text: tuple[str, ...]

    @classmethod
    def of(cls, reads: Iterable[tuple[str, str]]) -> "Reads":
        """Return the facts of (root, field) pairs."""
        names: dict[str, set[str]] = {"offer": set(), "member": set(), "text": set()}
        for root, name in reads:
            names.setdefault(root, set()).add(name)
        member = {name: kind for name, kind in MEMBER_FACTS.items() if name in names["member"]}
        return cls(tuple(sorted(names["offer"])), member, tuple(sorted(names["text"])))


class Case:
    """One subject; facts, folded text and CEL context are each built at most once, when first asked."""

    def __init__(
        self,
        subject: Subject,
        merchant_names: tuple[str, ...],
        expressions: Expressions | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.subject = snapshot(subject, memory)
        self._expressions = expressions
        self._catalogue = merchant_names
        self._approvals: frozenset[str] | None = None
        self.reads: Reads | None = None
        """What expressions will be asked of; None for anything."""

    @cached_property
    def text(self) -> WrittenText:
        """The written fields."""
        merchants = self.subject.offer.get("merchants")
        own = tuple(str(name) for name in merchants) if isinstance(merchants, list | tuple) else ()
        own = tuple(name for name in own if name not in self._catalogue and is_masked(name))
        fields = dict(self.subject.text)
        if self.subject.message is not None:
            fields |= dict(zip(MESSAGE_FIELDS, (self.subject.message.text, self.subject.message.html), strict=True))
        names = [names for names in (self._catalogue, own) if names]
        return WrittenText(fields, names, self._expressions, self.subject.terms_notes)

    @cached_property
    def is_written(self) -> bool:
        """Whether there is any copy to judge."""
        return bool(self._written)

    def approvals(self, blocks: Mapping[str, Collection[str]]) -> frozenset[str]:
        """Return the clauses that the approved blocks of all written fields cover; `blocks` are one gate's."""
        if self._approvals is None:
            covers = [frozenset(blocks.get(self.subject.approved.get(name, ""), ())) for name in self._written]
            self._approvals = frozenset.intersection(*covers) if covers else frozenset()
        return self._approvals

    @cached_property
    def _written(self) -> tuple[CopyField, ...]:
        return tuple(name for name in COPY_FIELDS if self.subject.text.get(name, "").strip())

    @cached_property
    def _facts(self) -> tuple[dict[str, object], dict[str, object], frozenset[tuple[str, str]]]:
        offer, wrong_offer = once_for_terms(self.subject, "typed", lambda: typed(self.subject.offer, OFFER_FACTS))
        known = MEMBER_FACTS if self.reads is None else self.reads.member
        member, wrong_member = typed(self.subject.member, known)
        wrong = {("offer", name) for name in wrong_offer} | {("member", name) for name in wrong_member}
        return offer, member, frozenset(wrong)

    @property
    def offer(self) -> dict[str, object]:
        """The typed facts of the offer."""
        return self._facts[0]

    @property
    def invalid(self) -> frozenset[tuple[str, str]]:
        """The facts whose value isn't of their kind: what reads one is unknown."""
        return self._facts[2]

    @cached_property
    def context(self) -> cel.Context:
        """The one CEL context of the draft."""
        offer, fields = self.offer, TEXT_FIELDS
        if self.reads is not None:
            offer, fields = {name: offer[name] for name in self.reads.offer if name in offer}, self.reads.text
        text = {name: self.text.folded(name).text for name in fields}
        return context_of(offer, self._facts[1], text, self.subject.send_date)
