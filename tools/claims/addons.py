"""Add-on products: optional, with their price, and never a benefit that comes with the card."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from tools.claims.credit_words import evidence_of, number
from tools.claims.written import Passage, Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_KINDS: Final = (
    r"(?:(?:identity(?: theft)?|id(?: theft)?|credit|credit score|credit report|payment|account|balance|wallet"
    r"|debt|loan|score|card) "
    r"(?:protection|protector|monitoring|monitor|guard|shield|watch|insurance|cancellation|suspension|cover"
    r"|coverage|alert service|safeguard|assure|defen[cs]e)"
    r"|(?:paymentguard|identityguard|creditguard|walletguard|creditwatch|accountguard|scorewatch|protection plan)"
    r"|add on (?:products?|services?|cover\w*|plan)s?)"
)
_PRODUCT: Final = pattern_of(rf"\b{_KINDS}\b")
_OPTIONAL: Final = pattern_of(
    r"\boptional(?:ly)?\b",
    r"\bvoluntary\b",
    r"\b(?:not|isn't|is not|never) (?:required|mandatory|needed|necessary|a condition|compulsory)\b",
    r"\b(?:don't|do not|needn't|no) (?:need|have|obligation)\b",
    r"\b(?:entirely |completely )?(?:up to you|your choice|your decision|your call)\b",
    r"\bif (?:you )?(?:choose|want|wish|like|decide|you'd like|prefer|elect)\b",
    r"\b(?:works?|keep\w*|use)\b[^.!?]{0,40}\bwithout it\b",
    r"\bcan (?:decline|say no|skip|leave it)\b",
    r"\bwith or without\b",
)
_AS_BENEFIT: Final = pattern_of(
    r"\b(?:free|included|includes?|complimentary|built in|comes with|come with|comes standard|added benefit"
    r"|no extra (?:cost|charge)|at no (?:extra |additional )*(?:cost|charge)|on us|covered by|benefit of|benefits?"
    r"|part of your|gratis|standard with|bundled|thrown in|no charge|automatically|already (?:on|active|yours)"
    r"|your (?:card|account) now)\b"
)
_AS_NEEDED: Final = pattern_of(
    r"\b(?:must|have to|need to|needs?|required?|requires|mandatory|necessary|essential to|before you can|finish"
    r"|complete|completing|finali[sz]e|in order to|unlock|to keep|last step|final step|one more step|one step"
    r"|set ?up|setting up)\b"
)
_ENOUGH_DENIED: Final = pattern_of(r"\b(?:no|not|don't|do not|without|never|isn't|needn't|excluding|excludes?)\b")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of add-on products."""

    def described(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find add-ons called a benefit or a requirement, and those without "optional" and their price."""
        draft = written(checks, subject)
        claims = _claims(draft, subject)
        price = number(subject.offer.get("addon_price_usd_month"))
        optional = subject.offer.get("addon_optional") is not False
        found = [
            evidence_of(each)
            for each in claims
            if (price != 0 and _is_benefit(each)) or (optional and _is_needed(each))
        ]
        if found or not claims:
            return found
        said = draft.says(_OPTIONAL) or not optional
        priced = draft.states("money", price) if price else price == 0
        return [] if said and priced else [evidence_of(claims[0])]

    return (Detector("addon_described", ("terms", "copy"), described),)


def _claims(draft: Written, subject: Subject) -> list[tuple[Passage, int, int]]:
    """Return the mentions of the offer's add-on, or of a product of that kind that is not just said to be unneeded."""
    name = subject.offer.get("addon_name")
    if isinstance(name, str) and name.strip():
        return [*draft.copy.find(_named(name.strip())), *draft.copy.claims(_PRODUCT)]
    if subject.offer.get("offer_type") == "add_on" or number(subject.offer.get("addon_price_usd_month")) is not None:
        return [*draft.copy.find(_PRODUCT)]
    return [*draft.claims(_PRODUCT)]


@lru_cache(maxsize=256)
def _named(name: str) -> Any:
    escaped = " ".join(
        "".join(char if char.isalnum() else f"[{char}]" if char not in "\\^]" else "." for char in word)
        for word in name.split()
    )
    return pattern_of(rf"\b{escaped}", known=False)


def _is_benefit(each: tuple[Passage, int, int]) -> bool:
    sentence = each[0].around(each[1], each[2])
    return any(_is_affirmed(sentence, match.start()) for match in _AS_BENEFIT.finditer(sentence))


def _is_needed(each: tuple[Passage, int, int]) -> bool:
    sentence = each[0].around(each[1], each[2])
    if _OPTIONAL.search(sentence) is not None:
        return False
    return any(_is_affirmed(sentence, match.start()) for match in _AS_NEEDED.finditer(sentence))


def _is_affirmed(sentence: str, at: int) -> bool:
    return _ENOUGH_DENIED.search(sentence[max(0, at - 40) : at]) is None
