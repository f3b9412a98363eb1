"""When a reward is said to arrive, against the weeks that the offer takes to post it."""

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from tools.claims.written import COPY, any_of, signed
from tools.grounding.checks import Checks
from tools.grounding.supported import support_for
from tools.report import Evidence
from tools.subject import Detector, Subject

_PAYS_LATER: Final = frozenset({"points_multiplier", "bonus_points", "statement_credit", "cashback"})
"""Types whose reward the bank posts: without weeks on file there is nothing to show that it posts at once."""

_PAY: Final = (
    r"(?:pay|swipe|tap|buy|purchase|check\s*out|shop|spend|order|book|dine|insert|charge|sign|walk\s+out|leave"
    r"|hit\s+(?:buy|pay)|complete|finish|use|make|check\s*in|arrive|sit\s+down|click|press|confirm|place|return|reach|meet|qualify|hit)"
)
_INSTANT: Final = any_of(
    r"\binstant(?:ly|aneous(?:ly)?)?\b|\bimmediate(?:ly)?\b|\b(?:right|straight)\s*away\b|\bon\s+the\s+spot\b"
    r"|\bat\s+once\b|\bin\s+real[\s-]time\b|\breal[\s-]time\b|\bovernight\b|\bin\s+a\s+(?:flash|snap|blink|heartbeat"
    r"|jiffy)\b|\bin\s+no\s+time\b|\bwithout\s+(?:the\s+|any\s+)?(?:wait(?:ing)?|delay)\b|\bno\s+(?:wait(?:ing)?"
    r"|delays?)\b|\bthere\s+and\s+then\b|\bthen\s+and\s+there\b",
    r"\b(?:same|next|following|very\s+same)[\s-](?:business\s+)?day\b|\b(?:later|earlier)\s+(?:today|that\s+day)\b"
    r"|\bby\s+(?:tomorrow|tonight|morning|the\s+(?:weekend|evening|end\s+of\s+the\s+(?:day|week)))\b"
    r"|\b(?:by\s+the\s+time|before)\s+you(?:'re|\s+are|\s+get|\s+reach|\s+leave|\s+walk)?\s+(?:home|out|back"
    r"|the\s+(?:store|shop|door|car|parking))\b",
    rf"\b(?:the\s+(?:moment|second|minute|instant|day|hour)|as\s+soon\s+as|just\s+as"
    rf"|the\s+very\s+\w+)\s+(?:that\s+)?(?:you|your)\s*(?:'ve|\s+have)?\s*(?:\w+\s+){{0,3}}?{_PAY}",
    r"\b(?:in|within|under|after)\s+(?:just\s+|only\s+|a\s+matter\s+of\s+|mere\s+|a\s+(?:few|couple\s+of)\s+|(?:a"
    r"|one|two|three|four|five|\d{1,2})\s+)*(?:seconds?|minutes?|hours?|moments?)\b",
    r"\b(?:in|within|under|after)\s+(?:just\s+|only\s+|a\s+matter\s+of\s+|mere\s+)*(?:(?:a\s+)?(?:few"
    r"|couple(?:\s+of)?)\s+|a\s+|one\s+|two\s+|three\s+|four\s+|five\s+|six\s+"
    r"|\d{1,2}\s+)?(?:short\s+)?(?:business\s+)?days?\b|\b(?:posts?|lands?|arrives?|appears?|credited"
    r"|paid)\s+(?:just\s+|only\s+)?(?:one|two|three|four|five|six|a\s+few|\d)\s+(?:business\s+)?days?\s+(?:after"
    r"|later)\b",
    r"\b(?:before|by\s+the\s+time)\s+you(?:'ve|\s+have)?\s+(?:even\s+|so\s+much\s+as\s+)?(?:\w+)\b|\b(?:at"
    r"|with)\s+(?:lightning|record|warp|light|blazing|top)\s+speed\b|\b(?:lightning|blazing|super|ultra)[\s-]fast\b"
    r"|\bas\s+you\s+(?:shop|pay|spend|buy|go|dine|swipe|order)\b|\b(?:this|the\s+same)\s+(?:week|afternoon|evening"
    r"|morning|month)\b|\bon\s+your\s+(?:very\s+)?next\s+(?:statement|bill)\b|\b(?:live|today"
    r"|now)\s+in\s+your\s+account\b|\bpronto\b|\bin\s+a\s+matter\s+of\b|\bright\s+(?:there|then)\b|\b(?:posts?"
    r"|lands?|arrives?|credited|paid|appears?|shows?(?:\s+up)?|hits?)\s+(?:\w+\s+){0,2}(?:today|tomorrow|tonight"
    r"|now)\b",
    r"\b(?:24|48|72|twenty[\s-]four|forty[\s-]eight)[\s-]+hours?\b",
)
_REWARD: Final = any_of(
    r"\b(?:points?|credits?|cash|cash\s*back|back|rewards?|bonus|money|rebates?|savings|refund|reimburse\w*|dollars?"
    r"|discount|payout|payback|it's\s+yours)\b|\$\s?\d|\d\s?%|\d\s?x\b"
)
_CALM: Final = any_of(
    r"(?:\b(?:not|never|no|nor|cannot|isn't|aren't|rather\s+than)|n't)\s+(?:\w+\s+){0,5}?(?:instant|immediate"
    r"|right\s+away|straight\s+away|at\s+once|the\s+same|same|on\s+the\s+spot|overnight|in\s+real|next"
    r"|by\s+tomorrow)\w*",
    r"\b(?:instant|immediate|same[\s-]day|next[\s-]day|real[\s-]time|overnight)(?:ly)?\s+(?:confirmation|access"
    r"|enroll\w*|notice|email|messages?|download\w*|booking|reservation|delivery|shipping|pickup|ramen|noodles?"
    r"|coffee|pot|camera|oats|appointment|service|alert|family|update|stay|bag|flight)\w*",
    r"\b(?:enroll|enrol|activat|register|sign|confirm)\w*\b[^.;!?]{0,45}\b(?:instant(?:ly)?|immediate(?:ly)?"
    r"|right\s+away|at\s+once|in\s+(?:\w+\s+){0,3}(?:seconds?|minutes?|moments?)|takes?\s+effect)\b",
    r"\bbefore\s+you(?:'ve|\s+have)?\s+(?:\w+\s+)?(?:enroll|enrol|activat|register|shop|buy|book|spend|pay|order"
    r"|dine|visit|purchase|travel|go|decide|check|use|start|apply|leave)\w*\b|\b(?:earn|save|add\s+up|collect|build"
    r"|grow)\w*\s+(?:\w+\s+){0,4}as\s+you\s+\w+|\b(?:this|the\s+same)\s+(?:week|month|morning|afternoon|evening)'s\b"
    r"|\b(?:enroll|shop|book|dine|offer|start|visit|cook|treat|order)\w*\b[^.;!?]{0,30}\bthis\s+(?:week|afternoon"
    r"|evening|morning|month)\b",
    r"\b(?:start|begin|shop|book|order|dine|use|browse|watch|stream|redeem|spend|go|travel|stay|visit|listen|read"
    r"|play|ship|cook)\w*\s+(?:\w+\s+){0,5}?(?:right\s+away|straight\s+away|immediately|instantly"
    r"|at\s+once|the\s+same\s+day|overnight|within\s+\w+\s+(?:days?|hours?))\b",
    r"\b(?:purchases?|orders?|returns?|returned|refunded|cancel\w*|booked|bookings?|stays?"
    r"|spend)\b[^.;!?]{0,40}\b(?:within|in|after)\s+(?:\w+\s+){0,2}days?\b|\b(?:offer|window|deal|ends?|expires?"
    r"|closes?)\b[^.;!?]{0,30}\b(?:in|within)\s+(?:\w+\s+)?(?:days?|hours?)\b",
)
_AT_TILL: Final = frozenset({"discount", "exclusive_access"})
_MONTH: Final = 30


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of promised posting times; it reads the offer and the copy."""
    return (Detector("posting_time_true", ("terms", "copy"), partial(_posting, checks)),)


def _posting(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find rewards that are said to arrive at once, or sooner than the offer's first week of posting."""
    support = support_for(subject)
    kind = str(subject.offer.get("offer_type"))
    earliest = support.fulfillment[0] if support.fulfillment else None
    if support.fulfillment is not None and support.fulfillment[1] <= 1:
        return []
    if earliest is None and kind not in _PAYS_LATER:
        return []
    found: list[Evidence] = []
    draft = signed(checks, subject).only(*COPY)
    for passage, sentence, match in draft.say(_INSTANT):
        before = next((each.text for each in passage.sentences if each.end == sentence.start), "")
        rewarded = _REWARD.search(sentence.text) or (len(sentence.text.split()) <= 5 and _REWARD.search(before))
        start, end = match.span()
        calm = (each.span() for each in _CALM.finditer(sentence.text))
        if rewarded and not any(first < end and start < last for first, last in calm):
            found.append(passage.evidence(*sentence.span(match)))
    for passage in draft.passages:
        reading = passage.reading
        for quantity, roles in zip(reading.quantities, reading.roles, strict=True):
            if earliest is None or "fulfillment" not in roles:
                continue
            days = quantity.value * (_MONTH if quantity.unit == "months" else Decimal(1))
            if quantity.unit in ("days", "months") and days < earliest:
                found.append(passage.evidence(quantity.start, quantity.end))
    return found
