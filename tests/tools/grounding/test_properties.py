"""Copy filled from the terms is always grounded, a changed number or date never is, and no text breaks a detector."""

import math
import time
from datetime import date, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.tools.grounding.conftest import DETECTORS, subject_of
from tools.hygiene import DETECTORS as HYGIENE

SENT = date(2026, 11, 23)
ONES = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
NAMES = {name: detector for name, detector in DETECTORS.items() if name != "conditions_stated"}


@st.composite
def offers(draw: st.DrawFn) -> dict[str, Any]:
    days = draw(st.integers(30, 60))
    start = SENT + timedelta(days=draw(st.integers(0, 40)))
    kind = draw(st.sampled_from(["points_multiplier", "statement_credit", "cashback"]))
    unit = {"points_multiplier": "X_points", "statement_credit": "usd", "cashback": "percent"}[kind]
    spend_cap = draw(st.integers(10, 250)) * 100
    return {
        "offer_type": kind,
        "reward_unit": unit,
        "reward_value": float(draw(st.integers(2, 10) if unit == "X_points" else st.integers(11, 60))),
        **({"base_rate": 1.0} if unit == "X_points" else {}),
        "minimum_spend": float(draw(st.integers(61, 500))),
        **({} if unit == "usd" else {"reward_cap": float(spend_cap), "reward_cap_unit": "usd_spend"}),
        "start_date": start.isoformat(),
        "end_date": (start + timedelta(days=days - 1)).isoformat(),
        "enroll_by": (start + timedelta(days=draw(st.integers(5, 20)))).isoformat(),
        "expiration_days": days,
        "requires_enrollment": True,
        "merchants": ["Olive Garden", "Shake Shack"],
        "fulfillment_weeks": draw(st.sampled_from([[4, 6], [6, 8], [8, 12]])),
    }


def money(value: float, style: int) -> str:
    return (f"${value:,.0f}", f"${value:.2f}", f"{value:.0f} dollars", f"USD {value:.0f}", f"US${value:,.0f}")[
        style % 5
    ]


def day(iso: str, style: int) -> str:
    at = date.fromisoformat(iso)
    return (
        f"{at:%B} {at.day}, {at.year}",
        f"{at:%A}, {at:%B} {at.day}, {at.year}",
        f"{at:%b}. {at.day}" if at.month != 5 else f"May {at.day}",
        f"{at.month}/{at.day}/{at.year}",
        iso,
        f"{at.day} {at:%B} {at.year}",
        f"the {at.day}{'th' if at.day not in (1, 2, 3, 21, 22, 23, 31) else 'st'} of {at:%B}",
    )[style % 7]


def reward(offer: dict[str, Any], style: int) -> str:
    value = int(offer["reward_value"])
    if offer["reward_unit"] == "X_points":
        return (f"{value}X points", f"{value} points per dollar", f"{ONES[value]} points a dollar")[style % 3]
    if offer["reward_unit"] == "usd":
        return (f"${value} back", f"a ${value} statement credit", f"{value} dollars back")[style % 3]
    return (f"{value}% back", f"{value} percent cash back", f"{value} % back")[style % 3]


def weeks(offer: dict[str, Any], style: int) -> str:
    least, most = offer["fulfillment_weeks"]
    return (f"{least} to {most} weeks", f"{least}-{most} weeks", f"{ONES[least]} to {ONES[most]} weeks")[style % 3]


def sentences(offer: dict[str, Any], styles: list[int]) -> list[tuple[str, str, str]]:
    """Return (before, the stated term, after) of each sentence of a draft."""
    said = [
        ("Cardmember, earn ", reward(offer, styles[0]), " at Olive Garden and Shake Shack."),
        (" Enroll by ", day(offer["enroll_by"], styles[1]), "."),
        (" Spend ", money(offer["minimum_spend"], styles[2]), " or more to qualify."),
        (" The offer ends ", day(offer["end_date"], styles[3]), "."),
        (" It starts ", day(offer["start_date"], styles[4]), "."),
        (" It is valid for ", f"{offer['expiration_days']} days", "."),
        (" Rewards post ", weeks(offer, styles[5]), " after the purchase."),
    ]
    if "reward_cap" in offer:
        said.append((" That counts on up to ", money(offer["reward_cap"], styles[6]), " in purchases."))
    return said


STYLES = st.lists(st.integers(0, 1000), min_size=7, max_size=7)


@given(offers(), STYLES)
def test_copy_filled_from_its_terms_is_grounded(offer: dict[str, Any], styles: list[int]) -> None:
    text = "".join("".join(parts) for parts in sentences(offer, styles))
    subject = subject_of({"body": text, "headline": "Good Things, Rewarded"}, offer)
    assert [(name, e.quote) for name, detector in NAMES.items() for e in detector.run(subject, {})] == [], text


@given(offers(), STYLES, st.integers(0, 7), st.integers(10_007, 99_991))
def test_a_term_changed_to_another_is_found_where_it_stands(
    offer: dict[str, Any], styles: list[int], at: int, other: int
) -> None:
    said = sentences(offer, styles)
    at %= len(said)
    before, _, after = said[at]
    shift = timedelta(days=other % 25 + 1)
    wrong = [
        reward(
            {**offer, "reward_value": offer["reward_value"] + 1 if offer["reward_value"] < 12 else 7}, styles[0] * 3
        ),
        day(_other_day(offer, "enroll_by", shift), styles[1]),
        money(other, styles[2]),
        day(_other_day(offer, "end_date", shift), styles[3]),
        day(_other_day(offer, "start_date", shift), styles[4]),
        f"{offer['expiration_days'] + 100} days",
        "9 to 10 weeks",
        money(other + 0.0, styles[6]),
    ][at]
    parts = ["".join(each) for each in said]
    parts[at] = before + wrong + after
    start = len("".join(parts[:at])) + len(before)
    subject = subject_of("".join(parts), offer)
    spans = [
        (e.start, e.end)
        for name in ("grounded_numbers", "grounded_dates")
        for e in DETECTORS[name].run(subject, {})
        if e.start is not None and e.end is not None
    ]
    assert spans, "".join(parts)
    assert all(start <= first and last <= start + len(wrong) for first, last in spans), (wrong, "".join(parts))


def _other_day(offer: dict[str, Any], name: str, shift: timedelta) -> str:
    """Return a day near a term's that is no other term's: the very day of a wrong role has its own tests."""
    terms = {offer[term] for term in ("start_date", "end_date", "enroll_by")}
    found = date.fromisoformat(offer[name]) + shift
    while found.isoformat() in terms:
        found += timedelta(days=1)
    return found.isoformat()


PIECES = """
$ 5 % 3X X points per dollar a half third hundred thousand January 6 , 2027 13/45/2027 24:99 th - to and Friday ends by
end of the month Best Buy & at Costco .5 1,000 ½ ② \u200b Ж ; : ( ) { } [ < > = on https://x.co 2027-01-06 1/1 12 PM p .
m up minimum spend $$ $. 99999999999999999999999999
"""
TEXT = st.one_of(
    st.text(),
    st.lists(st.sampled_from(PIECES.split())).map(" ".join),
)


@given(TEXT, TEXT)
@example("$", "half a")
@example("a hundred hundred hundred", "January the 6")
@example("\ud800", "end of January")
@example("0:00 1/0/2027", "٣٫٥ ３X")
@settings(max_examples=300)
def test_no_text_breaks_a_detector_and_evidence_quotes_the_text(body: str, terms: str) -> None:
    subject = subject_of({"body": body, "terms": terms}, "dining_points", personal={"name": "Ana Ruiz", "age": 41})
    for detector in (*NAMES.values(), *HYGIENE):
        for evidence in detector.run(subject, {}):
            assert evidence.start is not None and evidence.end is not None
            assert subject.text[evidence.field][evidence.start : evidence.end] == evidence.quote


@given(
    st.sampled_from(["$5 ", "a ", "January ", "hundred ", "Best ", "Ab ", "1,", "3X ", "-", "(", "Zed and ", "to 6 "])
)
@settings(max_examples=12, deadline=None)
def test_time_grows_with_the_text_and_not_with_its_square(piece: str) -> None:
    def seconds(length: int) -> float:
        best = math.inf
        for attempt in range(3):
            subject = subject_of(piece * (length + attempt), "dining_points")
            began = time.process_time()
            for detector in (*NAMES.values(), *HYGIENE):
                detector.run(subject, {})
            best = min(best, time.process_time() - began)
        return best

    # Eight times the text: linear is 8, a square would be 64.
    assert seconds(2000) / seconds(250) < 32
