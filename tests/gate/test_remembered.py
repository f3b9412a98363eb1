"""What a gate remembers of one draft never shows in another: a report follows from its subject alone."""

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import islice
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gate.offers import POLICIES, Book, compliant_offers, delivered, open_book
from tools.policies import Gate
from tools.policies.clauses import STAGES
from tools.policies.compiling import compile_text
from tools.policies.policy_set import PolicySet
from tools.snapshot import REMEMBERED, Memory, once_for_terms, snapshot
from tools.subject import Subject

DRAFT: Final = ("member", "terms", "copy")
Change = Callable[[Subject], Subject]


@cache
def book() -> Book:
    return open_book()


@cache
def bases() -> tuple[Subject, ...]:
    """Offers of each type, with their messages: one of each is enough to be told apart by one change."""
    found = {offer.terms.offer_type: offer for offer in compliant_offers(book(), turns=1)}
    return tuple(offer.with_message for offer in found.values())


def text(name: str, change: Callable[[str], str]) -> Change:
    return lambda subject: replace(subject, text={**subject.text, name: change(subject.text[name])})


def offer(**facts: object) -> Change:
    return lambda subject: replace(subject, offer={**subject.offer, **facts})


def without(fact: str) -> Change:
    return lambda subject: replace(subject, offer={name: one for name, one in subject.offer.items() if name != fact})


def member(**facts: object) -> Change:
    return lambda subject: replace(subject, member={**subject.member, **facts})


def one_digit(written: str) -> str:
    digit = re.search(r"\d", written)
    assert digit is not None
    return f"{written[: digit.start()]}{(int(digit[0]) + 1) % 10}{written[digit.end() :]}"


CHANGES: Final[Mapping[str, Change]] = {
    "nothing": lambda subject: subject,
    "a digit of the terms": text("terms", one_digit),
    "a word of the terms": text("terms", lambda written: written.replace("offer", "deal", 1)),
    "a claim in the terms": text("terms", lambda written: f"{written} No annual fee. Guaranteed approval."),
    "no terms": text("terms", lambda written: ""),
    "a digit of the body": text("body", lambda written: f"{written} Earn $7 back."),
    "the headline": text("headline", lambda written: "Last chance, hurry: ends tonight!"),
    "a claim in the body": text("body", lambda written: f"{written} Free of charge, with your Gold Card, near you."),
    "no copy": lambda subject: replace(subject, text={"terms": subject.text["terms"]}),
    "a merchant": offer(merchants=["Nobu", "Best Buy"]),
    "an add-on": offer(addon_name="Best Buy"),
    "the day": lambda subject: replace(subject, send_date=subject.send_date + timedelta(days=1)),
    "a late day": lambda subject: replace(subject, send_date=subject.send_date + timedelta(days=400)),
    "the card's fee": member(annual_fee=7.0),
    "the card": member(card_type="gold"),
    "the region": member(region="US-TERRITORIES"),
    "the month's offers": member(offers_this_month=3),
    "an unknown member": lambda subject: replace(subject, member={}, personal={}),
    "a fact's value": offer(minimum_spend=7.0),
    "a fact's kind": offer(requires_enrollment=1),
    "an equal fact": offer(requires_enrollment=1.0),
    "a fact of no kind": offer(reward_value="much"),
    "no end": without("end_date"),
    "no exclusions": without("exclusions"),
    "the scope": lambda subject: replace(subject, scope=replace(subject.scope, domain=None)),
    "the profile": lambda subject: replace(subject, personal={"persona": "offer", "name": "Terms Apply"}),
    "the blocks": lambda subject: replace(subject, approved={}),
    "no message": lambda subject: replace(subject, message=None),
}


def report(gate: Gate, subject: Subject, stages: Any = STAGES) -> dict[str, Any]:
    return gate.check(subject, stages=stages).model_dump(exclude={"elapsed_ms"})


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(
    base=st.integers(0, 100),
    changes=st.lists(st.sampled_from(sorted(CHANGES)), min_size=2, max_size=4),
    both=st.sampled_from(sorted(CHANGES)),
)
def test_a_report_is_the_same_whatever_was_checked_before(base: int, changes: list[str], both: str) -> None:
    subject = CHANGES[both](bases()[base % len(bases())])
    changed = []
    for change in changes:
        try:
            changed.append(CHANGES[change](subject))
        except (AssertionError, KeyError):
            continue  # there is nothing left to change
    warm = replace(book().gate)
    for one in (*changed, *reversed(changed)):
        assert report(warm, one) == report(replace(book().gate), one)


@pytest.mark.parametrize("change", [name for name in CHANGES if name not in ("no terms", "no copy", "no end")])
def test_one_change_is_seen_by_a_gate_that_knows_the_draft_without_it(change: str) -> None:
    subject = bases()[0]
    changed = CHANGES[change](subject)
    warm = replace(book().gate)
    assert report(warm, subject) == report(warm, subject) == report(replace(book().gate), subject)
    assert report(warm, changed) == report(replace(book().gate), changed)
    assert report(warm, subject) == report(replace(book().gate), subject)


def test_a_draft_alone_is_not_told_what_a_message_was_checked_for() -> None:
    gate = replace(book().gate)
    for stages in (STAGES, DRAFT, ("message",), DRAFT, STAGES):
        assert report(gate, bases()[1], stages) == report(replace(book().gate), bases()[1], stages)


def test_policies_that_differ_in_one_limit_remember_apart() -> None:
    gate = replace(book().gate)
    policy = gate.policies.get("compliance_policy")
    assert policy is not None
    stricter, problems = compile_text(
        policy.text.replace("max_validity_days: 60", "max_validity_days: 29"),
        POLICIES / "compliance_policy.md",
        gate.detectors,
        run_examples=False,
    )
    assert stricter is not None and not problems and stricter.limits != policy.limits
    others = [other for other in gate.policies.policies if other.id != policy.id]
    strict = replace(gate, policies=PolicySet.of([*others, stricter]))
    for subject in bases()[:2]:
        assert report(gate, subject) != report(strict, subject)
        assert report(strict, subject) == report(replace(strict), subject)
        assert report(gate, subject) == report(replace(gate), subject)


def test_what_is_remembered_is_bounded() -> None:
    memory, subject = Memory(), bases()[0]
    first = snapshot(subject, memory)
    assert once_for_terms(first, "key", lambda: 1) == once_for_terms(first, "key", lambda: 2) == 1
    for number in range(REMEMBERED):
        memory.notes(replace(subject, text={"terms": f"{number}"}))
    assert once_for_terms(snapshot(subject, memory), "key", lambda: 3) == 3


def test_facts_that_are_equal_but_of_another_kind_are_told_apart() -> None:
    memory = Memory()
    notes = [memory.notes(offer(minimum_spend=value)(bases()[0])) for value in (1, 1.0, True)]
    assert len({id(each) for each in notes}) == 3


def test_checks_in_threads_and_of_other_channels_say_what_they_say_alone() -> None:
    """One gate serves a server's loop and its threads; a push or an SMS has the terms of the email."""
    offers = list(islice(compliant_offers(book(), turns=1), 3))
    subjects = [offer.subject for offer in (*offers, *delivered(offers))]
    alone = [report(replace(book().gate), subject, DRAFT) for subject in subjects]
    gate = replace(book().gate)
    with ThreadPoolExecutor(max_workers=4) as threads:
        found = list(threads.map(lambda subject: report(gate, subject, DRAFT), subjects * 3))
    assert found == alone * 3
