from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pytest

from tools.claims import claim_detectors
from tools.grounding import grounding_checks
from tools.policies.standard import standard_subject
from tools.subject import Detector


@cache
def detectors() -> Mapping[str, Detector]:
    names = {"Olive Garden": (), "Panera Bread": (), "Best Buy": (), "Target": ()}
    return {each.name: each for each in claim_detectors(grounding_checks(merchant_names=names, issuer="Example Bank"))}


def quotes(name: str, text: str, field: str = "body", **parts: object) -> list[str]:
    subject = standard_subject()
    subject = replace(subject, text={**subject.text, field: text}, **parts)
    return [evidence.quote for evidence in detectors()[name].run(subject, {})]


@pytest.mark.parametrize(
    "text",
    [
        "We chose this on account of your religion.",
        "Seeing that you live in Queens, here is more.",
        "Where you live makes you eligible.",
        "We looked at your birth date first.",
    ],
)
def test_a_trait_given_as_the_reason_is_found(text: str) -> None:
    assert quotes("not_selected_by_trait", text)


@pytest.mark.parametrize(
    "text", ["We never look at your age.", "Chosen for its menu.", "Because you have a Gold Card, you can enroll."]
)
def test_other_reasons_and_denials_pass(text: str) -> None:
    assert quotes("not_selected_by_trait", text) == []


def test_the_trait_is_quoted_where_it_stands() -> None:
    subject = standard_subject()
    subject = replace(subject, text={**subject.text, "headline": "Because you are 62, dine"})
    (evidence,) = detectors()["not_selected_by_trait"].run(subject, {})
    assert (evidence.field, evidence.quote, evidence.start) == ("headline", "Because you are 62", 0)


@pytest.mark.parametrize(
    "text", ["Seniors should look elsewhere.", "No immigrants, please.", "Only for native English speakers."]
)
def test_a_group_turned_away_is_found(text: str) -> None:
    assert quotes("nobody_discouraged", text)


@pytest.mark.parametrize("text", ["No coupons, please.", "Only for Gold cardmembers.", "Not for resale."])
def test_things_and_cards_may_be_turned_away(text: str) -> None:
    assert quotes("nobody_discouraged", text) == []


def test_a_group_with_a_reward_of_its_own_is_found_unless_it_is_the_same_for_all() -> None:
    assert quotes("same_for_everybody", "Retirees earn 4X.")
    assert quotes("same_for_everybody", "Retirees earn the same 3X points as everyone.") == []


def test_protected_facts_are_named_and_their_values_are_not() -> None:
    subject = standard_subject()
    found = detectors()["no_protected_facts"].run(replace(subject, member={**subject.member, "age": 62}), {})
    assert [(evidence.field, evidence.quote) for evidence in found] == [("member.age", "")]


def test_a_territory_is_shut_out_only_for_the_partners_locations() -> None:
    def found(*excluded: str) -> list[str]:
        subject = standard_subject()
        offer = {**subject.offer, "eligibility_excludes": list(excluded)}
        run = detectors()["open_to_all_places"].run
        return [evidence.quote for evidence in run(replace(subject, offer=offer), {})]

    assert found("Guam", "US-PR", "Guam: no partner locations") == ["Guam", "US-PR"]
    assert found("spanish_preferred", "Spanish speakers, no stores there") == [
        "spanish_preferred",
        "Spanish speakers, no stores there",
    ]
    assert found("business cards") == []


@pytest.mark.parametrize(
    "text",
    ["You dined out a lot.", "In May you spent big.", "You've been to Olive Garden.", "Seems you can't stay away."],
)
def test_what_the_reader_did_is_found(text: str) -> None:
    assert quotes("no_reader_story", text)


@pytest.mark.parametrize(
    "text",
    [
        "You won't want to miss dessert.",
        "Once you have dined, points post.",
        "Purchases you made before do not count.",
        "You need to enroll, and you set the date.",
        "You received this because you are a cardmember.",
    ],
)
def test_conditions_and_plans_are_no_story(text: str) -> None:
    assert quotes("no_reader_story", text) == []


def test_a_figure_of_the_profile_is_found_in_words_and_one_of_the_offer_is_not() -> None:
    assert quotes("no_profile_figures", "Forty-seven evenings.", personal={"total_transactions_12m": 47})
    assert quotes("no_profile_figures", "On up to $1,500 in purchases.", personal={"total_spend_12m": 1500.0}) == []


def test_a_label_is_found_where_it_names_the_reader() -> None:
    personal = {"persona": "Foodie", "segment": "Mass Affluent", "customer_lifecycle_stage": "at_risk"}
    assert quotes("no_profile_labels", "Fellow foodie, dig in.", personal=personal) == ["foodie"]
    assert quotes("no_profile_labels", "An at-risk rate for the mass affluent.", personal=personal) == [
        "at-risk",
        "mass affluent",
    ]
    assert quotes("no_profile_labels", "A foodie night.", personal=personal) == []


def test_only_partners_are_named() -> None:
    assert quotes("partners_only", "Good at Best Buy too.") == ["Best Buy"]
    assert quotes("partners_only", "At Olive Garden, Panera Bread and Casa Vezzoni.") == ["Casa Vezzoni"]
    assert quotes("partners_only", "Our Chocolate Fountain is open at Olive Garden.") == []
    assert quotes("partners_only", "Our target is a good dinner.") == []


def test_the_subject_s_value_and_day_are_held_against_the_offer() -> None:
    assert quotes("subject_grounded", "Get $75 back", "subject") == ["$75"]
    assert quotes("subject_grounded", "3X points through January 6", "subject") == []
    assert quotes("subject_grounded", "Get $75 back", "body") == []
