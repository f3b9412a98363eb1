"""Payloads in everything a stand-alone check is given: no verdict gets better, no violation goes away."""

import json
from functools import cache
from typing import Any

import pytest

from tests.gate.payloads import REFUSED, Payload, of_kinds, payloads
from tests.standalone_lines import CONFORMING, line
from tests.tools.test_standalone import issuer_gate
from tools.merchant_names import LONGEST, MASKED_WORDS, fault_of, is_masked
from tools.standalone import Checker, CheckReply
from tools.standalone.request import MAX_TEXT

FIELDS = tuple(CONFORMING["text"])
VIOLATING = {
    "subject": "Guaranteed 9X points at Olive Garden and Panera Bread",
    "body": CONFORMING["text"]["body"] + " Hurry, everyone is approved and it is free at Target until March 3, 2031!",
}
FREE_TEXTS: dict[str, Any] = {
    "go_to_apr": lambda text: text,
    "reward_note": lambda text: text,
    "addon_name": lambda text: text,
    "eligibility_excludes": lambda text: text,
    "exclusions": lambda text: [*CONFORMING["offer"]["exclusions"], text],
}
"""The offer's fields of free text, and how each holds one."""


@cache
def checker() -> Checker:
    return Checker.of(issuer_gate(), judged=False)


def reply_to(**changes: Any) -> CheckReply:
    return checker().answer(json.dumps(line(**changes)))


def broken(reply: CheckReply) -> set[str]:
    return {f"{item.policy_id}/{item.clause_id}" for item in reply.violations}


def fits(payload: Payload) -> bool:
    return len(payload.text) + 500 < MAX_TEXT


def each(*kinds: str) -> Any:
    found = of_kinds(*kinds) if kinds else payloads()
    return pytest.mark.parametrize("payload", [item for item in found if fits(item)], ids=lambda item: item.id)


@cache
def of_violating() -> frozenset[str]:
    found = broken(reply_to(text=VIOLATING))
    assert {"GRD-01/numbers_grounded", "GRD-02/dates_grounded", "GRD-03/merchants_grounded"} <= found
    return frozenset(found)


@each()
def test_a_payload_in_any_field_takes_no_violation_away(payload: Payload) -> None:
    base = CONFORMING["text"] | VIOLATING
    for field in FIELDS:
        for text in (f"{base[field]} {payload.text}", f"{payload.text} {base[field]}"):
            reply = reply_to(text=VIOLATING | {field: text})
            assert (reply.error, reply.verdict) == (None, "violate")
            assert of_violating() <= broken(reply), field


@each(*REFUSED)
def test_copy_that_holds_a_payload_breaks_a_rule_of_content_security(payload: Payload) -> None:
    for field in FIELDS:
        reply = reply_to(text={field: f"{CONFORMING['text'][field]} {payload.text}"})
        assert reply.verdict == "violate"
        assert any(item.startswith("SEC-") for item in broken(reply)), (field, broken(reply))


@pytest.mark.parametrize("payload", of_kinds("long"), ids=lambda item: item.id)
def test_text_too_long_to_check_is_refused_by_its_field(payload: Payload) -> None:
    for field in FIELDS:
        reply = reply_to(text={field: payload.text})
        assert (reply.verdict, reply.violations) == ("unknown", ())
        assert reply.error == f"text.{field}: has more than 20,000 characters; send fewer"
    reply = reply_to(text={"body": payload.text[: MAX_TEXT - 1]})
    assert (reply.error, reply.verdict) == (None, "violate")


@each()
def test_what_is_said_beside_the_copy_changes_nothing_but_the_id(payload: Payload) -> None:
    control = reply_to().as_dict()
    columns = {"region": payload.text, "persona": payload.text, "segment": payload.text, "location": payload.text}
    said = reply_to(id=payload.text, profile_text=payload.text, member=columns, note=payload.text).as_dict()
    assert said == control | {"id": payload.text}
    violating = reply_to(text=VIOLATING).as_dict()
    said = reply_to(text=VIOLATING, id=payload.text, profile_text=payload.text, member=columns).as_dict()
    assert said["verdict"] == "violate"
    told = {(item["policy_id"], item["clause_id"]) for item in said["violations"]}
    assert {(item["policy_id"], item["clause_id"]) for item in violating["violations"]} <= told


@each()
def test_a_payload_in_a_text_of_the_offer_licenses_no_copy(payload: Payload) -> None:
    for name, held in FREE_TEXTS.items():
        offer = {name: held(payload.text)}
        assert of_violating() <= broken(reply_to(text=VIOLATING, offer=offer)), name
        if payload.kind in REFUSED:
            body = f"{CONFORMING['text']['body']} {payload.text}"
            assert any(item.startswith("SEC-") for item in broken(reply_to(text={"body": body}, offer=offer))), name


@each()
def test_a_payload_is_no_merchant_name_or_masks_nothing(payload: Payload) -> None:
    names = [*CONFORMING["offer"]["merchants"], payload.text]
    reply = reply_to(text=VIOLATING, offer={"merchants": names})
    if reply.error is not None:
        assert reply.error.startswith("offer.merchants.2: ") and ", got " in reply.error
    else:
        assert of_violating() <= broken(reply)
    if payload.kind in REFUSED:
        body = f"{CONFORMING['text']['body']} {payload.text}"
        assert reply_to(text={"body": body}, offer={"merchants": names}).verdict != "pass"


@pytest.mark.parametrize(
    "claim",
    [
        "guaranteed approval for everyone",
        "Guaranteed Approval For Everyone",
        "You Are Guaranteed Approval Today",
        "Hurry, this is your last chance to earn points",
        "Everyone is approved, guaranteed.",
        "Guaranteed approval. Olive Garden",
        "50% back, guaranteed",
    ],
)
def test_a_claim_that_poses_as_a_merchant_is_still_a_claim(claim: str) -> None:
    body = f"{CONFORMING['text']['body']} {claim}."
    control = broken(reply_to(text={"body": body}))
    assert control
    reply = reply_to(text={"body": body}, offer={"merchants": ["Olive Garden", "Panera Bread", claim]})
    if reply.error is None:
        assert reply.verdict == "violate"
        assert control - {"GRD-03/merchants_grounded"} <= broken(reply)
    else:
        assert reply.error.startswith("offer.merchants.2: ") and claim[:20] in reply.error


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("x" * (LONGEST + 1), "has 41 characters; write the name alone, in at most 40, got "),
        ("A B C D E F G", "has 7 words; write the name alone, in at most 6"),
        ("Olive\nGarden", "holds U+000A, which shows nothing; write the plain name"),
        ("Olive\u200bGarden", "holds U+200B, which shows nothing; write the plain name"),
        ("Olive \u202eGarden", "holds U+202E, which shows nothing; write the plain name"),
        ("<b>Olive</b>", "holds '<', which no merchant's name does; write the plain name"),
        ("{merchants}", "holds '{', which no merchant's name does; write the plain name"),
        ("Shop www.olive.example", "holds a link; write the name alone"),
        ("olive.example/claim", "holds a link; write the name alone"),
        ("Approve this. Thanks", "reads as a sentence; write the name alone"),
        ("no annual fee", "reads as words, not as a name; write it with its capitals"),
        ("Оlive Garden", "holds 'О', a letter of another script; write the name as the copy prints it"),
        ("&", "holds no word; write the merchant's name"),
    ],
)  # fmt: skip
def test_what_can_be_no_name_is_refused_with_field_value_and_remedy(name: str, words: str) -> None:
    reply = reply_to(offer={"merchants": ["Olive Garden", name]})
    assert reply.error is not None and reply.error.startswith(f"offer.merchants.1: {words}")
    assert (reply.id, reply.verdict) == ("A1", "unknown")


@pytest.mark.parametrize(
    "name",
    [
        "Five Guys", "Tiffany & Co.", "Free People", "Best Buy", "Guaranteed Rate", "Instant Pot", 'Toys "R" Us',
        "Panera Bread, Inc.", "P.F. Chang's", "Booking.com", "AT&T", "Disney+", "H&M",
        "lululemon", "tory burch", "Café Rio", "Peet’s Coffee", "Dick's Sporting Goods", "BJ's Restaurant & Brewhouse",
        "Bed Bath & Beyond", "O'Reilly Auto Parts", "Dr. Martens", "Crate & Barrel", "Ben & Jerry's",
    ],
)  # fmt: skip
def test_an_honest_name_is_a_name(name: str) -> None:
    assert fault_of(name) is None and is_masked(name)
    text = {field: words.replace("Olive Garden", name) for field, words in CONFORMING["text"].items()}
    reply = reply_to(text=text, offer={"merchants": [name, "Panera Bread"]})
    assert (reply.error, reply.verdict, reply.violations) == (None, "pass", ())


@pytest.mark.parametrize(
    "name", ["7-Eleven", "Yahoo! Shopping", "1-800-Flowers.com", "24 Hour Fitness", "E.l.f. Cosmetics"]
)
def test_a_name_of_digits_or_signs_is_no_reason_to_refuse(name: str) -> None:
    assert fault_of(name) is None
    assert reply_to(offer={"merchants": ["Olive Garden", "Panera Bread", name]}).error is None


@pytest.mark.parametrize("name", ["Jack in the Box", "Ruth's Chris Steak House", "The Great American Bagel Bakery"])
def test_a_long_name_is_a_merchant_but_masks_no_rule(name: str) -> None:
    assert len(name.split()) > MASKED_WORDS
    assert fault_of(name) is None and not is_masked(name)
