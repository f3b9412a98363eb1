"""Emails cut once for a draft and filled for each member, with the report that is then the one of their own mail.

A draft's mail is rendered for the bulkiest name there is and for the shortest, names nobody has. When every message
clause that reads nothing of the member is satisfied by both and shows nothing, the report stands for every member of a
plain name (`tools.email.greeting_line` says why). A name is plain when it can't be a word of a sentence around its
greeting, and when one mail that greets it, the first, was judged whole and told nothing else. Mails that
greet another name, drafts whose own words greet and mails that are their draft's only one are cut for each name:
rendered once, judged once.
"""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from graph.assembly import MESSAGE
from tools.email.greeting_line import (
    is_clear,
    is_near_sighted,
    leaves_line_alone,
    placeholder,
    reaches_far,
    shared,
)
from tools.email.message import Mailer, Message, Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.email.stencil import Filled, Stencil, stencil_facts
from tools.errors import TemplateFault
from tools.policies import Gate
from tools.report import ComplianceReport
from tools.subject import MessageFacts, Subject

STENCILS: Final = 512
"""Emails kept to be filled for the next member, about 30 KB each."""
NAMES: Final = 100_000
"""Names of which it is kept whether they are plain, about 10 MB."""

_logger = logging.getLogger(__name__)

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Mail:
    """A draft's mail to be built. `sha` names the draft, `subject` is what clauses judge of it beside the message.

    `build` renders it for a person; it raises TemplateFault.
    """

    sha: str
    run_id: str
    subject: Subject
    build: Callable[[Person], Message]


@dataclass(frozen=True, slots=True)
class Cut:
    """One email to be filled, its facts, and the message clauses' report of it."""

    stencil: Stencil
    facts: MessageFacts
    report: ComplianceReport

    def filled(self, run_id: str, first_name: str | None) -> tuple[Filled, MessageFacts]:
        """Return a member's mail and what clauses judge of it. Raises TemplateFault."""
        filled = self.stencil.fill(run_id, first_name)
        return filled, stencil_facts(self.facts, filled)


@dataclass(frozen=True, slots=True)
class _ForAll:
    """A draft's email to be filled for every plain name, and the names known to be plain, or not, where it stands."""

    cut: Cut
    plain: OrderedDict[str, bool]


class Stencils:
    """Cuts emails and keeps what it cut; the least used one goes. Not to be shared between threads."""

    def __init__(self, mailer: Mailer, *, most: int = STENCILS) -> None:
        self._mailer, self._most = mailer, most
        self._of_drafts: OrderedDict[tuple[str, str], _ForAll | None] = OrderedDict()
        self._of_names: OrderedDict[tuple[str, str, str], Cut] = OrderedDict()
        self._plain: dict[tuple[object, ...], OrderedDict[str, bool]] = {}

    def cut(self, mail: Mail, person: Person, gate: Gate, *, alone: bool = False) -> Cut:
        """Return the email to fill for this member. Raises TemplateFault.

        `alone` says that no other mail of the draft is in sight: cutting it for every name would cost more than it
        saves.
        """
        draft, name = (gate.policies.sha, mail.sha), greeting_name(person.first_name)
        if alone and draft not in self._of_drafts:
            return self._kept(self._of_names, (*draft, name), lambda: self._for_one(mail, person, gate))
        whole = self._kept(self._of_drafts, draft, lambda: self._for_all(mail, gate))
        if whole is not None and self._is_plain(name, whole, mail, gate):
            return whole.cut
        return self._kept(self._of_names, (*draft, name), lambda: self._for_one(mail, person, gate))

    def _for_all(self, mail: Mail, gate: Gate) -> "_ForAll | None":
        """Return the draft's mail cut for every plain name, or None where each name has to be judged."""
        clauses = gate.policies.clauses(mail.subject.scope, MESSAGE)
        if not all(map(is_near_sighted, clauses)) or not leaves_line_alone(mail.subject):
            return None
        longest, shortest = placeholder(), placeholder(1)
        try:
            found = self._for_one(mail, Person(longest), gate, name=longest)
            other = self._for_one(mail, Person(shortest), gate)
        except TemplateFault:
            return None  # its words greet too, or no mail comes of it: whoever is next is told
        if not self._stands_for(found, other, mail, shortest) or not is_clear(found.report):
            return None
        # Other clauses, or such that didn't apply, may read a name otherwise.
        asked = tuple((one.policy_id, one.policy_version, one.clause_id, one.result) for one in shared(found.report))
        return _ForAll(found, self._plain.setdefault(asked, OrderedDict()))

    def _is_plain(self, name: str, whole: "_ForAll", mail: Mail, gate: Gate) -> bool:
        if not whole.cut.stencil.takes_name:
            return True
        return self._kept(whole.plain, name, lambda: self._judged(name, whole.cut, mail, gate), most=NAMES)

    def _judged(self, name: str, whole: Cut, mail: Mail, gate: Gate) -> bool:
        if reaches_far(name) or not self._says_nothing_else(name, whole, mail, gate):
            _logger.info("draft %s: a greeted name says something to a check; its mails are cut one by one", mail.sha)
            return False
        return True

    def _says_nothing_else(self, name: str, whole: Cut, mail: Mail, gate: Gate) -> bool:
        if not (name.isascii() and name.isalpha()):  # plain letters are written in one way, others are tried
            return self._stands_for(whole, self._for_one(mail, Person(name), gate), mail, name)
        _, facts = whole.filled(mail.run_id, name)
        report = gate.check(replace(mail.subject, message=facts), stages=MESSAGE)
        return shared(whole.report) == shared(report)

    def _stands_for(self, whole: Cut, own: Cut, mail: Mail, name: str) -> bool:
        """Tell whether a draft's cut gives, filled with a name, the bytes and the report of the mail made for it."""
        filled, made = whole.stencil.fill(mail.run_id, name), own.stencil.fill(mail.run_id, name)
        return filled == made and shared(whole.report) == shared(own.report)

    def _for_one(self, mail: Mail, person: Person, gate: Gate, *, name: str | None = None) -> Cut:
        message = mail.build(person)
        facts = message_facts(message, self._mailer.brand, mail.run_id)
        report = gate.check(replace(mail.subject, message=facts), stages=MESSAGE)
        return Cut(self._mailer.cut(message, run_id=mail.run_id, name=name), facts, report)

    def _kept(
        self,
        kept: "OrderedDict[_Key, _Found]",
        key: "_Key",
        make: Callable[[], _Found],
        *,
        most: int | None = None,
    ) -> _Found:
        if key in kept:
            kept.move_to_end(key)
            return kept[key]
        kept[key] = found = make()
        if len(kept) > (self._most if most is None else most):
            kept.popitem(last=False)
        return found


_Key = TypeVar("_Key")
