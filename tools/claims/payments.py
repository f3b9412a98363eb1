"""Periodic payments: never without the number of them and their total (12 CFR 1026.16(b)(2))."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tools import sentences
from tools.claims.credit_words import number
from tools.claims.written import Passage, pattern_of, written
from tools.grounding.checks import Checks
from tools.grounding.measures import Quantity
from tools.grounding.roles import Role
from tools.grounding.supported import support_for
from tools.report import Evidence
from tools.subject import Detector, Subject

_PER_PERIOD: Final = pattern_of(
    r"^\s*(?:a|per|each|every|/|an)\s*(?:mo(?:nth)?|wk|week|fortnight|billing cycle|paycheck|pay ?day)s?\b",
    r"^\s*(?:monthly|weekly|biweekly|p\.?\s?m\b\.?|/mo\b|/month\b)",
    r"^\s*(?:\w+ ){0,2}(?:payments?|instal(?:l)?ments?)\b",
)
_PAYMENT_BEFORE: Final = pattern_of(
    r"\b(?:payments?|instal(?:l)?ments?)(?: (?:of|from|at|start(?:ing)?(?: at| from)?|as low as|only|just|about"
    r"|are|is|for|under))*[\s:]*(?:only |just )?$",
    r"\b(?:monthly|each month|per month|every month|a month)(?: (?:you|you'll|pay|for|is|from|at|only|just"
    r"|payment)){0,4}[\s:]*$",
    r"\b\d+ (?:x|times|×)\s*$",
    r"\b\d+\s?x\s*$",
)
_NO_PAYMENT: Final = pattern_of(
    r"\b(?:earn\w*|get\w*|receive|back|credits?|rewards?|spend\w*|save|saving|cash ?back|points|reward|budget"
    r"|subscription|renews?|membership|fee|costs? (?:you )?\$|trial|plan costs|discount|off|optional|cancel"
    r"|average|averaging|typical(?:ly)?|donat\w+|tips?)\b"
)
_TOTAL: Final = pattern_of(
    r"\btotal of (?:all )?payments?\b",
    r"\b(?:total(?:s|ing|led)?|in all|altogether|all told|overall|combined|in the end|sum)\b",
)
_COUNT: Final = pattern_of(
    r"\b(?:\d+|two|three|four|five|six|nine|ten|twelve|eighteen|twenty(?: four)?|thirty(?: six)?"
    r"|forty eight)(?: [\w-]+){0,2} (?:months?|payments?|weeks?|instal(?:l)?ments?|years?|billing cycles?)\b",
    r"\b(?:\d+)\s?(?:x|×|mos?\.?)\b",
)
_SPENT: Final[frozenset[Role]] = frozenset({"minimum_spend", "spend_for_cap", "spend_total", "spend_cap"})
_ENVELOPE: Final = ("subject", "preheader", "headline", "cta")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of periodic payments."""

    def completed(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find payments stated without their number and total in the same field, or in the body for the short ones."""
        draft = written(checks, subject)
        body = next((each for each in draft.passages if each.field == "body"), None)
        found: list[Evidence] = []
        for passage in draft.passages:
            for quantity in passage.reading.quantities:
                if quantity.unit != "money" or not _is_payment(passage, quantity, subject):
                    continue
                near = passage.sentence(quantity.start, quantity.end, neighbours=1)
                blocks = [(passage, near)]
                if passage.field in _ENVELOPE and body is not None:
                    blocks.append((body, (0, len(body.text))))
                if not any(_is_complete(each, within, subject, quantity) for each, within in blocks):
                    found.append(passage.evidence(quantity.start, quantity.end))
        return found

    return (Detector("payments_complete", ("terms", "copy"), completed),)


def _is_payment(passage: Passage, quantity: Quantity, subject: Subject) -> bool:
    payment = number(subject.offer.get("monthly_payment_usd"))
    behind = sentences.behind(passage.text, quantity.end, 40)
    before = sentences.before(passage.text, quantity.start, 60)
    periodic = _PER_PERIOD.search(behind) is not None or _PAYMENT_BEFORE.search(before) is not None
    if payment is not None and quantity.value == Decimal(str(payment)):
        return True
    if not periodic:
        return False
    price = number(subject.offer.get("addon_price_usd_month"))
    if price is not None and quantity.value == Decimal(str(price)):
        return False
    return payment is not None or _NO_PAYMENT.search(passage.around(quantity.start, quantity.end)) is None


def _is_complete(passage: Passage, within: tuple[int, int], subject: Subject, payment: Quantity) -> bool:
    """Tell whether that part of a field states how many payments there are, and their total."""
    total, support = number(subject.offer.get("total_of_payments_usd")), support_for(subject)
    text = passage.text[within[0] : within[1]]
    if _TOTAL.search(text) is None or _COUNT.search(text) is None:
        return False
    if total is None:  # what must be spent is the total of no payments
        return any(
            other.unit == "money"
            and other.value != payment.value
            and not (roles & _SPENT and support.has(other, roles))
            for other, roles in zip(passage.reading.quantities, passage.reading.roles, strict=True)
            if within[0] <= other.start and other.end <= within[1]
        )
    return next(passage.amounts("money", total, within=within), None) is not None
