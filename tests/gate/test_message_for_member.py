"""The emails of one draft and greeting differ in tokens, run and address alone, and no message clause tells them apart.

So one of them is judged whole, and of the next member's email only what reads the member.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time
from functools import cache
from itertools import count
from typing import Any, Final

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.assembly import fill_copy
from tests.gate.offers import Compliant, compliant_offers
from tests.gate.test_for_member import FACTS, PERSONAL
from tests.gate.test_remembered import book, report
from tools.drafts import Copy
from tools.email.message import Message, Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.email.stencil import stencil_facts
from tools.policies.renewal import MOST_ANSWERS, Answers, Watched
from tools.report import Stage
from tools.subject import Subject

MESSAGE: Final[tuple[Stage, ...]] = ("message",)
RUN_IDS: Final = st.text("0123456789abcdef", min_size=32, max_size=32)
EMAILS: Final = st.none() | st.emails() | st.sampled_from(
    ["a@b.example", f"{'x' * 64}@{'y' * 60}.{'z' * 60}.example", "'o=?utf-8'@mail.example", "{first_name}@x.example",
     "unsubscribe@free.example", "no address", "Ada <ada@mail.example>", "zoë@mail.example"]
)  # fmt: skip
NAMES: Final = st.sampled_from(["Wei", "Zoë", "O'Neil", "Jean-Luc", "李", "Free", "Unsubscribe", "null", "<b>", ""])
COPIES: Final[dict[str, Callable[[Copy], Copy]]] = {
    "as approved": lambda copy: copy,
    "by name": lambda copy: copy.model_copy(update={"body": f"Hi {{first_name}}, have a look.\n\n{copy.body}"}),
    "a reply": lambda copy: copy.model_copy(update={"subject": "Re: your account alert, please verify"}),
    "a hard way out": lambda copy: copy.model_copy(update={"body": f"{copy.body} To unsubscribe, call us first."}),
    "a strange link": lambda copy: copy.model_copy(update={"body": f"{copy.body} See https://offers.evil.example/o."}),
    "a placeholder": lambda copy: copy.model_copy(update={"headline": "Dear [NAME], %FIRST% TODO"}),
    "one word": lambda copy: copy.model_copy(update={"subject": "Hi"}),
}
"""What drafts say: such that pass, and such that break clauses of the message."""


@cache
def offers() -> tuple[Compliant, ...]:
    found = {(offer.terms.offer_type, at % 2): offer for at, offer in enumerate(compliant_offers(book(), turns=2))}
    return tuple(found.values())


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    at=st.integers(0, 100),
    written=st.sampled_from(sorted(COPIES)),
    name=NAMES | st.text(max_size=12),
    run_ids=st.tuples(RUN_IDS, RUN_IDS),
    emails=st.tuples(EMAILS, EMAILS),
    facts=st.fixed_dictionaries({}, optional=FACTS),
    personal=st.fixed_dictionaries({}, optional=PERSONAL),
)
def test_an_email_is_judged_by_another_members_and_by_what_reads_the_member(
    at: int,
    written: str,
    name: str,
    run_ids: tuple[str, str],
    emails: tuple[str | None, str | None],
    facts: dict[str, Any],
    personal: dict[str, Any],
) -> None:
    offer = offers()[at % len(offers())]
    mailer, gate = book().mailer, replace(book().gate)
    first, second = (
        _rendered(offer, COPIES[written], name, run_id, email) for run_id, email in zip(run_ids, emails, strict=True)
    )
    judged = message_facts(first, mailer.brand, run_ids[0])
    subject = replace(offer.subject, member=facts, personal=personal)
    theirs = replace(subject, message=message_facts(second, mailer.brand, run_ids[1]))
    whole = report(replace(book().gate), theirs, MESSAGE)
    assert report(replace(book().gate), replace(subject, message=judged), MESSAGE) == whole

    shared = gate.check(replace(offer.subject, message=judged), stages=MESSAGE)
    filled = mailer.cut(first, run_id=run_ids[0]).fill(run_ids[1])
    told = gate.for_member(shared, replace(subject, message=stencil_facts(judged, filled)))
    assert told.model_dump(exclude={"elapsed_ms"}) == whole
    assert (filled.html, filled.text) == (second.html, second.text)


def test_a_member_who_opted_out_since_gets_no_email_that_others_get() -> None:
    offer, gate = offers()[0], replace(book().gate)
    subject = offer.with_message
    shared = gate.check(subject, stages=MESSAGE)
    out = replace(subject, member={**subject.member, "email_opt_out": True})
    told = gate.for_member(shared, out)
    assert (shared.verdict, told.verdict) == ("pass", "violate")
    assert [(one.policy_id, one.clause_id) for one in told.violations] == [("SPAM-05", "not_opted_out_at_send")]


def test_an_answer_is_shared_by_members_alike_in_what_was_read_and_by_no_others() -> None:
    """Each of many regions and fees is asked once; the gate that has seen them all says what a new one says."""
    gate, subject = replace(book().gate), replace(offers()[0].subject, personal={})
    stages: tuple[Stage, ...] = ("member", "terms", "copy")
    subject = replace(
        subject, text={**subject.text, "body": f"{subject.text['body']} No annual fee. For your Gold Card."}
    )
    shared = gate.check(replace(subject, member={}), stages=stages)
    members = [
        {**subject.member, "annual_fee": fee, "region": region, "card_type": card}
        for fee in (0, 0.0, 250.0, True, None)
        for region in ("US-WEST", "US-TERRITORIES")
        for card in ("gold", "basic")
    ]
    told = []
    for facts in members * 2:
        theirs: Subject = replace(subject, member=facts)
        found = gate.for_member(shared, theirs).model_dump(exclude={"elapsed_ms"})
        assert found == report(replace(book().gate), theirs, stages)
        told.append(found["violations"])
    assert len({repr(one) for one in told}) > 2


def test_a_clause_that_finds_too_many_kinds_of_members_is_asked_of_each() -> None:
    gate, subject = book().gate, offers()[0].subject
    (clause,) = [one for one in gate.policies.clauses(subject.scope, ("copy",)) if one.key[1] == "region_is_served"]
    answers, asked = Answers(), []

    def ask(seen: Subject) -> Any:
        asked.append(seen.member["region"])
        return (clause.result("pass"), None), True

    def found(region: str) -> Any:
        return answers.found(clause, replace(subject, member={"region": region}), ask)

    regions = [f"US-{at}" for at in range(MOST_ANSWERS + 1)]
    assert [found(one) is None for one in regions] == [False] * MOST_ANSWERS + [True]
    assert found("US-0") is None and asked == regions


def test_what_goes_through_all_facts_has_read_them_all() -> None:
    seen = Watched({"a": 1, "b": None})
    assert (seen.get("a"), seen.get("c"), "b" in seen, seen.whole) == (1, None, True, False)
    assert list(seen.read) == ["a", "c", "b"]
    for ask in (list, len, dict, bool, repr, lambda facts: facts == {}, lambda facts: {**facts}):
        one = Watched({"a": 1})
        ask(one)  # type: ignore[operator]
        assert one.whole or ask is repr


def _rendered(offer: Compliant, change: Callable[[Copy], Copy], name: str, run_id: str, email: str | None) -> Message:
    copy = fill_copy(change(offer.copy), offer.terms, first_name=greeting_name(name))
    assert isinstance(copy, Copy)
    return book().mailer.render(
        run_id=run_id,
        copy=copy,
        terms=offer.terms,
        terms_text=offer.subject.text["terms"],
        person=Person(name, email),
        sent_at=datetime.combine(offer.subject.send_date, time(15, tzinfo=UTC)),
    )


def test_what_a_links_token_happens_to_spell_is_no_left_over_placeholder() -> None:
    offer, mailer, gate = offers()[0], book().mailer, book().gate
    sent = datetime.combine(offer.subject.send_date, time(15, tzinfo=UTC))
    spelt = re.compile(r"(?:NaN|TBD)(?![A-Za-z0-9_])")
    run_id = next(
        run_id
        for run_id in (f"{number:032x}" for number in count())
        if any(spelt.search(url) for url in mailer.links(run_id, sent).values())
    )
    message = _rendered(offer, lambda copy: copy, "Wei", run_id, None)
    assert spelt.search(message.text)
    facts = message_facts(message, mailer.brand, run_id)
    assert gate.check(replace(offer.subject, message=facts), stages=MESSAGE).verdict == "pass"
    written = replace(facts, text=facts.text.replace("Hi Wei", "Hi NaN"))
    told = gate.check(replace(offer.subject, message=written), stages=MESSAGE)
    assert ("SEC-04", "message_no_placeholders") in {(one.policy_id, one.clause_id) for one in told.violations}
