"""How a model that can write answers by script: conforming copy for any menu, or copy that breaks a known clause."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.scripted_model.replies import Call
from tests.scripted_model.versions import Versions

OPTION = re.compile(
    r"^(?P<id>\w+): (?P<label>[^|\n]+?)(?P<only> Only [\w-]+ purchases count\.)?(?: \| without (?P<without>[\w ]+))?$",
    re.MULTILINE,
)
"""How a drafting prompt lists an option."""

BODIES = {
    "points": "Earn {offer_value}, up to {reward_cap}, when you spend {minimum_spend} or more in total with {merchants}"
    " by {expiry_date}.",
    "statement credit": "Spend {minimum_spend} or more in total with {merchants} by {expiry_date}, and get a"
    " {offer_value}.",
    "cash back": "Get {offer_value}, up to {reward_cap}, when you spend {minimum_spend} or more in total with"
    " {merchants} by {expiry_date}.",
    "discount": "Take a {offer_value}, up to {reward_cap}, when you spend {minimum_spend} or more in total with"
    " {merchants} by {expiry_date}.",
    "early access": "Enjoy {offer_value} with {merchants} through {expiry_date}.",
}
"""A body per offer type, by words of the reward as a menu lists it."""

OPENINGS = ("", "Here is an offer for your {card_type} Card. ", "A {domain} offer is waiting. ")
SUBJECTS = ("{domain}: {offer_value} inside", "Your {domain} offer: {offer_value}", "For your Card: {offer_value}")
HEADLINES = ("Take a look: {offer_value}", "{offer_value} with {domain} partners")
PREHEADER = "See the offer, the partners and the dates inside this email."

FAULTS = (
    ("UDAAP-06/no_false_urgency", "Hurry, this is your last chance! "),
    ("PRIV-02/no_surveillance", "Since you shop a lot, this is for you. "),
    ("GRD-01/numbers_grounded", "Get $13 back this month. "),
)
"""What a body that must not pass has in it, and a clause it breaks."""


class Writer:
    """Answers drafting: a first draft conforms with the chance of its prompt's version, a re-draft with `mending`.

    `rates` is by version, as `draft@b`; one that is not named conforms always. The chance is a hash of the seed, the
    request and how often it came: the same requests in any order get the same answers.
    """

    def __init__(self, folder: Path, rates: Mapping[str, float], *, mending: float = 1.0, seed: int = 0) -> None:
        self._versions, self._rates, self._mending, self._seed = Versions(folder, "draft"), rates, mending, seed
        self._seen: Counter[str] = Counter()

    def __call__(self, call: Call) -> dict[str, Any]:
        """Return the answer to one request."""
        prompt = hashlib.sha256(call.text.encode()).hexdigest()
        self._seen[prompt] += 1
        key = f"{self._seed}\0{prompt}\0{self._seen[prompt]}"
        first = "option_id" in call.schema["properties"] and "sent back" not in call.text  # type: ignore[index]
        rate = self._rates.get(self._versions.of(call.text), 1.0) if first else self._mending
        fault = None if chance(f"{key}\0passes") < rate else FAULTS[int(chance(f"{key}\0fault") * len(FAULTS))][1]
        return written(call, key=key, fault=fault)


def written(call: Call, *, key: str = "", fault: str | None = None) -> dict[str, Any]:
    """Return a draft in words, or of a re-draft the parts asked for: conforming, but for `fault` in front of the body.

    Option, merchants and wording are chosen by `key`.
    """
    properties = call.schema["properties"]  # type: ignore[index]
    options = {found["id"]: found for found in OPTION.finditer(call.text) if _type_of(found["label"]) is not None}
    if "option_id" in properties:
        options = {name: options[name] for name in properties["option_id"]["enum"]}
    option = options[_picked(sorted(options), f"{key}\0option")]
    enrolls = "enroll_by" not in (option["without"] or "").split()
    offer_type = _type_of(option["label"])
    assert offer_type is not None
    body = "Enroll by {enroll_by}. " if enrolls else ""
    body += _picked(OPENINGS, f"{key}\0opening") + BODIES[offer_type] + (option["only"] or "")
    merchants = properties.get("merchant_ids", {}).get("items", {}).get("enum", [])
    draft = {
        "option_id": option["id"],
        "merchant_ids": merchants[: 2 + int(chance(f"{key}\0merchants") * 2)],
        "subject": _picked(SUBJECTS, f"{key}\0subject"),
        "preheader": PREHEADER,
        "headline": _picked(HEADLINES, f"{key}\0headline"),
        "body": (fault or "") + body,
        "cta": "Enroll now" if enrolls else "View offer",
    }
    return {part: draft[part] for part in properties}


def chance(key: str) -> float:
    """Return a number from 0 up to 1 that the key decides."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) / 2**64


def rates_of(text: str) -> dict[str, float]:
    """Read `draft=0.7,draft@b=0.85`. Raises ValueError for what is no rate."""
    rates = {}
    for part in text.split(","):
        version, sign, rate = part.partition("=")
        if not sign or not re.fullmatch(r"draft(@\w[\w-]*)?", version.strip()) or not 0 <= float(rate) <= 1:
            raise ValueError(f"{part!r} is no rate; write draft=0.7,draft@b=0.85, each from 0 to 1")
        rates[version.strip()] = float(rate)
    return rates


def _type_of(label: str) -> str | None:
    return next((words for words in BODIES if words in label.lower()), None)


def _picked(choices: Any, key: str) -> Any:
    return choices[int(chance(key) * len(choices))]
