from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from tools.claims import claim_detectors
from tools.claims.plain_words import reading_grade, syllables
from tools.errors import InputInvalid
from tools.grounding import grounding_checks
from tools.policies.standard import standard_subject
from tools.subject import Detector


@cache
def detectors() -> Mapping[str, Detector]:
    checks = grounding_checks(merchant_names={"Olive Garden": (), "Panera Bread": ()}, issuer="Example Bank")
    return {each.name: each for each in claim_detectors(checks)}


def quotes(name: str, params: Mapping[str, object] | None = None, **text: str) -> list[str]:
    subject = standard_subject()
    subject = replace(subject, text={**subject.text, **text})
    return [evidence.quote for evidence in detectors()[name].run(subject, params or {})]


def test_words_in_capitals_are_found_and_acronyms_codes_and_names_are_not() -> None:
    assert quotes("no_shouting", body="DINE NOW with the VIP menu in the USA.") == ["DINE", "NOW"]
    assert quotes("no_shouting", body="The TV has HDMI. Use code DINNER at the desk.") == []


def test_the_second_exclamation_mark_is_one_too_many_wherever_it_stands() -> None:
    assert quotes("no_shouting", subject="Dinner is on!", body="Have a seat!") == ["!"]
    assert quotes("no_shouting", body="Have a seat!") == []


def test_capitals_in_terms_are_no_shouting() -> None:
    assert quotes("no_shouting", terms="PRESCREEN NOTICE! READ! Example Bank.") == []


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("pay", 1),
        ("offer", 2),
        ("table", 2),
        ("made", 1),
        ("enrolled", 2),
        ("cardmember", 3),
        ("eligible", 4),
        ("$1,500", 1),
    ],
)
def test_syllables_are_estimated(word: str, count: int) -> None:
    assert syllables(word) == count


def test_the_grade_grows_with_words_and_sentences() -> None:
    plain = "You must enroll first. Then you earn points."
    hard = "Participation necessitates registration and remuneration is contingent upon qualification."
    assert reading_grade(plain) < 4
    assert reading_grade(hard) > 17
    assert reading_grade("") == 0


def test_hard_terms_are_quoted_by_their_hardest_sentence() -> None:
    terms = "Example Bank makes this offer. Notwithstanding representations, eligibility determinations are conclusive."
    (quote,) = quotes("plain_terms", {"max_grade": 8}, terms=terms)
    assert quote.strip() == "Notwithstanding representations, eligibility determinations are conclusive."
    assert quotes("plain_terms", {"max_grade": 40}, terms=terms) == []


def test_a_grade_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputInvalid, match="max_grade"):
        quotes("plain_terms", {"max_grade": "ten"})


def test_terms_name_the_issuer_and_not_half_of_it() -> None:
    assert quotes("sponsor_named", terms="Made by Example Bank.") == []
    assert quotes("sponsor_named", terms="An example of what a bank can do.") == ["the issuer's name is missing"]
