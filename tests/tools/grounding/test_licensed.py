"""Conditions that copy states: every one is supported by the offer, or found."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools.grounding.conftest import CORPUS, DETECTORS, Find, subject_of
from tools.grounding import grounding_checks, grounding_detectors
from tools.grounding.cues import CUES
from tools.grounding.forms import Forms
from tools.grounding.licence_table import LICENCES
from tools.grounding.licences import FACTS, MARKS, facts_of, licences_for
from tools.report import Evidence

OF_SENTENCES = [name for name in DETECTORS if name != "conditions_stated"]


def cases(side: str) -> list[Any]:
    found = []
    for name in ("conditions", "conditions_holdout", "conditions_unseen"):
        corpus = yaml.safe_load(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))
        gaps = corpus.get("gap", ())
        for offer, texts in corpus[side].items():
            found += [pytest.param(offer, text, text in gaps, id=text) for text in texts]
    return found


def findings(find: Find, text: str, offer: str) -> list[Evidence]:
    return [evidence for name in OF_SENTENCES for evidence in find(name, text, offer)]


@pytest.mark.parametrize(("offer", "text", "gap"), cases("violating"))
def test_a_condition_that_the_offer_lacks_is_found(find: Find, offer: str, text: str, gap: bool) -> None:
    assert bool(findings(find, text, offer)) != gap


@pytest.mark.parametrize(("offer", "text", "gap"), cases("conforming"))
def test_copy_with_the_offers_own_conditions_has_no_finding(find: Find, offer: str, text: str, gap: bool) -> None:
    found = findings(find, text, offer)
    assert bool(found) == gap, found


def offer_of(name: str, **changes: object) -> dict[str, object]:
    return {key: value for key, value in {**CORPUS["offers"][name], **changes}.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "changes", "quotes"),
    [
        ("No enrollment needed.", {"requires_enrollment": False}, []),
        ("No enrollment needed.", {}, ["No enrollment"]),
        ("You do not need to enroll.", {"requires_enrollment": False}, []),
        ("You do not need to enroll.", {}, ["You do not", "enroll"]),
        ("There is no need to enroll.", {}, ["no need", "enroll"]),
        ("Enroll now.", {}, []),
        ("Enroll now.", {"requires_enrollment": False}, ["Enroll"]),
        ("Only online purchases count.", {"channel": "online_only"}, []),
        ("Only online purchases count.", {}, ["count"]),
        ("Only in-store purchases count.", {"channel": "in_store_only"}, []),
        ("Cash advances do not count.", {"exclusions": ["cash advances"]}, []),
        ("Cash advances do not count.", {}, ["Cash advances", "count"]),
        ("Cash advances count too.", {"exclusions": ["cash advances"]}, ["Cash advances", "count", "too"]),
        ("There is no minimum spend.", {"minimum_spend": None}, []),
        ("There is no minimum spend.", {}, ["no minimum"]),
        ("Earn points with no cap.", {"reward_cap": None, "one_per_member": False}, []),
        ("Earn points with no cap.", {}, ["no cap"]),
        ("Points post in 6 to 8 weeks.", {}, []),
        ("Points post in 6 to 8 weeks.", {"fulfillment_weeks": None}, ["Points post"]),
        ("Terms apply.", {}, []),
        ("Terms apply to nobody.", {}, ["Terms", "apply", "nobody"]),
    ],
)
def test_a_licence_holds_for_the_offers_whose_fact_it_needs(
    find: Find, text: str, changes: dict[str, object], quotes: list[str]
) -> None:
    assert [e.quote for e in find("licensed_conditions", text, offer_of("dining_points", **changes))] == quotes


def test_the_terms_may_state_what_copy_may_not(find: Find) -> None:
    legal = "Gift cards are excluded. The bank may change this offer."
    assert find("licensed_conditions", {"terms": legal}, "dining_points") == []
    assert find("licensed_conditions", {"cta": "Tax free"}, "dining_points")[0].field == "cta"


def test_evidence_points_into_its_own_field(find: Find) -> None:
    text = {"subject": "It renews each month", "headline": "Dinner, your way", "body": "Café nights. FDIC insured."}
    found = find("licensed_conditions", text, "dining_points")
    assert {(evidence.field, evidence.quote) for evidence in found} >= {("body", "FDIC"), ("body", "insured")}
    assert {evidence.field for evidence in found} == {"subject", "body"}


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Works at airlines like united and delta.", ["united", "delta"]),
        ("Use it at target too.", ["target"]),
        ("Good at budget and national.", ["budget", "national"]),
        ("Rooms at budget rates, a national favorite, right on target.", []),
        ("Mind the gap, and delta blues are fine.", []),
    ],
)
def test_names_in_small_letters_count_where_a_merchant_stands(find: Find, text: str, quotes: list[str]) -> None:
    names = {"United Airlines": ("United",), "Delta": (), "Target": (), "Budget": (), "National": (), "Gap": ()}
    detector = {d.name: d for d in grounding_detectors(grounding_checks(merchant_names=names, issuer="Example Bank"))}
    subject = subject_of(text, "dining_points")
    assert [e.quote for e in detector["grounded_merchants"].run(subject, {})] == quotes


@pytest.mark.parametrize(
    ("text", "end", "quotes"),
    [
        ("Book by Labor Day.", "2027-09-06", []),
        ("Book by Labor Day.", "2027-01-06", ["Labor Day"]),
        ("Ends on the last day of the month.", "2026-11-30", []),
        ("Ends on the last day of the month.", "2027-01-06", ["last day of the month"]),
        ("Valid through the holidays.", "2027-01-01", []),
        ("Valid through the holidays.", "2027-01-06", ["the holidays"]),
    ],
)
def test_days_of_the_calendar_are_held_against_the_offer(find: Find, text: str, end: str, quotes: list[str]) -> None:
    offer = offer_of("dining_points", end_date=end, enroll_by=None, expiration_days=None)
    assert [e.quote for e in find("grounded_dates", text, offer)] == quotes


ALONE = [Forms([cue.pattern]) for cue in CUES]


@settings(deadline=None)  # a search per cue, on whatever machine
@given(st.lists(st.sampled_from(["enroll", "the offer", "ends", "no", "points", "post", ".", ",", "all", "you"])))
def test_one_pass_finds_what_each_pattern_finds(words: list[str]) -> None:
    text = " ".join(words)
    together = {tuple(match[:3]) for match in Forms([cue.pattern for cue in CUES]).matches(text)}
    alone = {(at, *match[1:3]) for at, forms in enumerate(ALONE) for match in forms.matches(text)}
    assert together == alone


def test_every_row_of_the_tables_can_be_used() -> None:
    assert {fact for licence in LICENCES for fact in licence.needs.split()} <= FACTS.keys()
    kinds = {kind for licence in LICENCES for kind in licence.kinds}
    assert kinds - {cue.kind for cue in CUES} <= {"channel"}
    for name in CORPUS["offers"]:
        for kind in kinds:
            assert licences_for(facts_of(CORPUS["offers"][name])).granted("", {kind}) == {kind: []}
    assert len(set(MARKS)) == len(MARKS)
