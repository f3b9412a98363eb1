"""A subject while it is checked, with what was worked out about it: each thing once a check, or once for its terms.

Terms are made by code: one text, offer and day serve many drafts. What follows from these three alone is kept from
check to check, everything else ends with its check. What a note rests on beyond them must be part of its key.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from tools.subject import Subject

REMEMBERED: Final = 256
"""Terms texts, each with one offer and day of sending, whose notes one gate keeps; and as many drafts."""

T = TypeVar("T")
Notes = dict[Hashable, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot(Subject):
    """A subject with the notes of its check, and those of its terms, offer and day. Made anew for every check."""

    notes: Notes = field(init=False, repr=False, default_factory=dict)
    terms_notes: Notes = field(init=False, repr=False, default_factory=dict)


class Memory:
    """The notes of one gate: on terms, offers and days, and on drafts; those used longest ago go first."""

    def __init__(self, size: int = REMEMBERED) -> None:
        self._notes = lru_cache(maxsize=size)(_none_yet)
        self._of_drafts = lru_cache(maxsize=size)(_none_of_draft)

    def notes(self, subject: Subject) -> Notes:
        """Return the notes on the subject's terms, offer and day."""
        # Facts as Python writes them: equality takes True for 1, and 1 for 1.0.
        return self._notes(subject.text.get("terms", ""), repr(dict(subject.offer)), subject.send_date)

    def of_draft(self, subject: Subject) -> Notes:
        """Return the notes on all that a subject has beside the member and the message."""
        offer = repr(dict(subject.offer))
        parts = (tuple(subject.text.items()), offer, subject.send_date, subject.scope, subject.delivery)
        return self._of_drafts((*parts, tuple(subject.approved.items())))


def snapshot(subject: Subject, memory: Memory | None = None) -> Snapshot:
    """Return a subject as it is now, to be checked once; without a memory nothing is known of its terms."""
    taken = Snapshot(
        text=subject.text,
        offer=subject.offer,
        send_date=subject.send_date,
        scope=subject.scope,
        member=subject.member,
        personal=subject.personal,
        approved=subject.approved,
        message=subject.message,
        delivery=subject.delivery,
    )
    if memory is not None:
        object.__setattr__(taken, "terms_notes", memory.notes(subject))
    return taken


def once(subject: Subject, key: Hashable, work: Callable[[], T]) -> T:
    """Return what `work` makes of a subject, made once a check. A subject that is no snapshot may change: no notes."""
    return _noted(subject.notes, key, work) if isinstance(subject, Snapshot) else work()


def once_for_terms(subject: Subject, key: Hashable, work: Callable[[], T]) -> T:
    """Return what `work` makes of a subject's terms, offer and day of sending, and of what the key holds beside."""
    return _noted(subject.terms_notes, key, work) if isinstance(subject, Snapshot) else work()


_MISSING: Final = object()


def _noted(notes: Notes, key: Hashable, work: Callable[[], T]) -> T:
    found = notes.get(key, _MISSING)
    if found is _MISSING:
        found = notes[key] = work()
    return cast(T, found)


def _none_yet(terms: str, offer: str, sent: date) -> Notes:
    return {}


def _none_of_draft(draft: Hashable) -> Notes:
    return {}
