"""One email judged for a name nobody has stands for all of its draft: no message clause would say otherwise of theirs.

Names and copy are made of the very words that the checks of the message look for.
"""

import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.assembly import fill_copy
from graph.stencils import Mail, Stencils
from tests.gate.offers import Compliant
from tests.gate.test_message_for_member import COPIES, EMAILS, MESSAGE, RUN_IDS, offers
from tests.gate.test_remembered import book, report
from tests.tools.email.test_stencil import GREETABLE
from tools.drafts import Copy
from tools.email import footer_checks, header_checks, message_checks, rates_link_check, unsubscribe_checks
from tools.email.greeting_line import NEAR_SIGHTED
from tools.email.message import Message, Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.policies import Gate
from tools.report import ComplianceReport
from tools.subject import Subject

CHECKS: Final = (footer_checks, header_checks, rates_link_check, unsubscribe_checks)
WORDS: Final = sorted(
    {
        word
        for module in CHECKS
        for value in vars(module).values()
        if isinstance(value, re.Pattern) and isinstance(value.pattern, str)
        for word in re.findall(r"[A-Za-z]{2,}", re.sub(r"\\.|\[[^\]]*\]", " ", value.pattern))
    }
    | {"unsubscribe", "opt-out", "optout", "optingout", "letterman", "requested", "call-up", "fee", "null-o", "day"}
)
NAMES: Final = (
    st.sampled_from(WORDS).flatmap(lambda word: st.sampled_from([word, word.title(), f"{word}-Ann", f"Ann-{word}"]))
    | GREETABLE
    | st.sampled_from(["TODO", "TBD", "NaN", "BaNaN", "None-Such", "null", "O'Neil", "D’Arcy", "Jean-Luc", "X", "李"])
)
SAID: Final = [*WORDS, "us", "now", "to", "write to", "log in", "sign in", "5", "$9"]
SENTENCES: Final = st.lists(st.sampled_from(SAID), min_size=2, max_size=9).map(" ".join)


@settings(deadline=None, max_examples=15, suppress_health_check=list(HealthCheck))
@given(
    first=st.integers(0, 100),
    at=st.integers(0, 100),
    before=SENTENCES | st.just(""),
    behind=SENTENCES | st.just(""),
    names=st.lists(NAMES, min_size=2, max_size=4),
    run_ids=st.tuples(RUN_IDS, RUN_IDS),
    email=EMAILS,
    alone=st.booleans(),
)
def test_the_report_of_a_filled_email_is_the_one_of_the_members_own(
    first: int,
    at: int,
    before: str,
    behind: str,
    names: list[str],
    run_ids: tuple[str, str],
    email: str | None,
    alone: bool,
) -> None:
    """Each name is met with a draft that is sound, and then with one whose words lie in wait for it."""
    stencils, gate = Stencils(book().mailer), replace(book().gate)
    sound, hostile = offers()[first % len(offers())], offers()[at % len(offers())]
    said = hostile.copy.model_copy(
        update={
            "cta": f"{hostile.copy.cta} {before}".strip(),
            "body": f"{behind} {hostile.copy.body}".strip(),
        }
    )
    for offer, copy in ((sound, sound.copy), (hostile, said)):
        for name in names:
            told, whole = _both(stencils, gate, offer, copy, name, run_ids, email, alone=alone)
            assert told.model_dump(exclude={"elapsed_ms"}) == whole


def test_it_is_so_of_every_kind_of_copy_and_most_names_share_one_email() -> None:
    stencils, gate, cuts = Stencils(book().mailer), replace(book().gate), Counter[bool]()
    names = ["Wei", "Zoë", "O'Neil", "Unsubscribe", "TODO", "Letter", "Call", "Logan", None, "Fee"]
    for written, change in COPIES.items():
        for name in names:
            told, whole = _both(stencils, gate, offers()[0], change(offers()[0].copy), name, ("a" * 32, "b" * 32), None)
            assert told.model_dump(exclude={"elapsed_ms"}) == whole, (written, name)
    for name in names:
        mail = _mail(offers()[0], offers()[0].copy, "a" * 32)
        cuts[stencils.cut(mail, Person(name), gate).stencil.takes_name] += 1
    assert cuts == {True: 5, False: 5}


def test_a_draft_of_one_mail_is_cut_for_its_own_name_alone() -> None:
    stencils, gate, offer = Stencils(book().mailer), replace(book().gate), offers()[0]
    mail = _mail(offer, offer.copy, "a" * 32)
    takes = [
        stencils.cut(mail, Person(name), gate, alone=alone).stencil.takes_name
        for name, alone in (("Ada", True), ("Ada", False), ("Bo", True))
    ]
    assert takes == [False, True, True]


def test_a_word_that_another_drafts_sentence_waits_for_is_heard() -> None:
    """A name that is sound in one draft breaks a clause in the next: were it plain, nobody would look again."""
    stencils, gate, offer = Stencils(book().mailer), replace(book().gate), offers()[0]
    waiting = offer.copy.model_copy(update={"cta": f"{offer.copy.cta} or give us a call"})
    verdicts = [
        _both(stencils, gate, offer, copy, name, ("a" * 32, "b" * 32), None)[0].verdict
        for copy in (offer.copy, waiting)
        for name in ("Ada", "Unsubscribe")
    ]
    assert verdicts == ["pass", "pass", "pass", "violate"]


def test_a_sentence_around_a_short_name_alone_is_heard() -> None:
    stencils, gate, offer = Stencils(book().mailer), replace(book().gate), offers()[0]
    around = offer.copy.model_copy(
        update={"cta": f"{offer.copy.cta}, give us a call now", "body": f"Just opt out, {offer.copy.body}"}
    )
    verdicts = [
        _both(stencils, gate, offer, around, name, ("a" * 32, "b" * 32), None)[0].verdict
        for name in ("A" * 40, "Al", "B" * 40)
    ]
    assert verdicts == ["pass", "violate", "pass"]


def test_every_check_of_the_message_is_known_by_what_it_reads_of_a_name() -> None:
    assert {one.name for one in message_checks.DETECTORS} == NEAR_SIGHTED


def _both(
    stencils: Stencils,
    gate: Gate,
    offer: Compliant,
    copy: Copy,
    name: str | None,
    run_ids: tuple[str, str],
    email: str | None,
    *,
    alone: bool = False,
) -> tuple[ComplianceReport, dict[str, object]]:
    """Return the report of the member's mail as it is filled, and of the one rendered for them."""
    mail, person = _mail(offer, copy, run_ids[1]), Person(name, email)
    cut = stencils.cut(mail, person, gate, alone=alone)
    filled, facts = cut.filled(run_ids[1], name)
    theirs = mail.build(person)
    assert (filled.html, filled.text, filled.html_sha256) == (theirs.html, theirs.text, theirs.html_sha256)
    of_theirs = message_facts(theirs, book().mailer.brand, run_ids[1])
    whole = report(replace(book().gate), replace(mail.subject, message=of_theirs), MESSAGE)
    return gate.for_member(cut.report, replace(mail.subject, message=facts)), whole


def _mail(offer: Compliant, copy: Copy, run_id: str) -> Mail:
    for_nobody = fill_copy(copy, offer.terms)
    assert isinstance(for_nobody, Copy)
    subject: Subject = replace(
        offer.subject,
        text={
            **{str(field): text for field, text in for_nobody.fields().items()},
            "terms": offer.subject.text["terms"],
        },
    )

    def build(person: Person) -> Message:
        own = fill_copy(copy, offer.terms, first_name=greeting_name(person.first_name))
        assert isinstance(own, Copy)
        return book().mailer.render(
            run_id=run_id,
            copy=own,
            terms=offer.terms,
            terms_text=offer.subject.text["terms"],
            person=person,
            sent_at=datetime.combine(offer.subject.send_date, time(15, tzinfo=UTC)),
        )

    return Mail(f"{copy.model_dump_json()}{offer.terms.model_dump_json()}", run_id, subject, build)
