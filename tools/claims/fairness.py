"""Whether the parts of a text agree on the conditions, with one another and with the offer."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple

from tools.claims.written import Written, any_of, signed
from tools.grounding.checks import Checks
from tools.grounding.support import amount
from tools.report import Evidence
from tools.subject import Detector, Subject


class Contradiction(NamedTuple):
    """Two statements of one condition that can't both be true.

    `holds` tells whether the offer has the condition, `allows` whether it makes the denial true.
    """

    said: Any
    denied: Any
    holds: Callable[[Mapping[str, object]], bool]
    allows: Callable[[Mapping[str, object]], bool] = lambda offer: False


CONTRADICTIONS: Final[tuple[Contradiction, ...]] = (
    Contradiction(
        any_of(
            r"\b(?:enrollment|enrolment|activation|registration)\s+(?:is\s+)?(?:required|needed|necessary)\b",
            r"\b(?:must|need\s+to|have\s+to|first|please|to)\s+(?:enroll|enrol|activate|register)\b|^\s*(?:enroll"
            r"|enrol|activate|register)\b",
            r"\b(?:once|after|when|until|unless|before)\s+you\s+(?:enroll|enrol|activate|register)\b",
        ),
        any_of(
            r"\b(?:no|without(?:\s+any)?|zero)\s+(?:need\s+(?:to|for)\s+)?(?:enroll|enrol|activat|registr|register"
            r"|sign[\s-]?up)\w*",
            r"\b(?:enrollment|enrolment|activation|registration|sign[\s-]?up)\s*(?:is|'s)?\s*(?:not"
            r"|n't)\s+(?:required|needed|necessary)\b",
            r"(?:don't|do\s+not|needn't)\s+(?:need\s+to\s+|have\s+to\s+)?(?:enroll|enrol|activate|register"
            r"|sign\s+up)\b",
            r"\bnothing\s+to\s+(?:enroll|enrol|activate|register|sign\s+up)\b",
        ),
        lambda offer: offer.get("requires_enrollment") is True,
    ),
    Contradiction(
        any_of(
            r"\bonline\s+only\b|\bonly\s+(?:on\s*line|online\s+(?:orders|purchases))\b|\bonline\s+(?:orders"
            r"|purchases)\s+(?:\w+\s+){0,4}only\b|\bnot\s+(?:valid\s+)?in\s+(?:\w+\s+)?stores?\b"
            r"|\bin[\s-]store\s+purchases\s+(?:are\s+)?(?:excluded|don't|do\s+not)"
        ),
        any_of(
            r"\b(?:online|on\s+the\s+web)\s+(?:and|or|&)\s+in[\s-](?:stores?|person)\b|\bin[\s-](?:stores?"
            r"|person)\s+(?:and|or|&)\s+online\b|\b(?:shop|pay|buy|spend|visit|use\s+it|valid|purchases|earn"
            r"|save)\b[^.;!?]{0,25}\bin[\s-](?:stores?|person)\b|\bat\s+the\s+(?:register|counter|till"
            r"|checkout\s+counter)\b|\bin\s+(?:any|every|all)\s+stores?\b"
        ),
        lambda offer: offer.get("channel") == "online_only",
    ),
    Contradiction(
        any_of(
            r"\bin[\s-]stores?\s+only\b|\bonly\s+in[\s-](?:stores?|person)\b|\bin[\s-]store\s+(?:purchases"
            r"|orders)\s+(?:\w+\s+){0,4}only\b|\bnot\s+(?:valid\s+)?online\b|\bonline\s+(?:orders"
            r"|purchases)\s+(?:are\s+)?(?:excluded|don't|do\s+not)"
        ),
        any_of(
            r"\bonline\s+(?:and|or|&)\s+in[\s-](?:stores?|person)\b|\bin[\s-](?:stores?|person)\s+(?:and|or"
            r"|&)\s+online\b|\b(?:shop|order|buy|spend|valid|earn|save)\b[^.;!?]{0,25}\bonline\b|\b(?:web\s*site"
            r"|app)\s+orders?\b"
        ),
        lambda offer: offer.get("channel") == "in_store_only",
    ),
    Contradiction(
        any_of(
            r"\b(?:minimum\s+(?:spend|purchase|order)?\s*(?:of|is|:)?\s*\$|spend\s+(?:at\s+least\s+)?\$\d[\d,]*\s*(?:\+"
            r"|or\s+more)?|\$\d[\d,]*(?:\.\d+)?\s*(?:\+|or\s+more|minimum|and\s+up)|at\s+least\s+\$)"),
        any_of(
            r"\b(?:no|without(?:\s+(?:a|any))?|zero)\s+(?:spend(?:ing)?\s+|purchase\s+)?minimums?\b|\bany\s+amount\b"
            r"|\bwhatever\s+(?:the\s+)?amount\b|\bno\s+(?:matter\s+how\s+(?:little|small)"
            r"|amount\s+(?:is\s+)?too\s+small)"),
        lambda offer: amount(offer.get("minimum_spend")) is not None,
    ),
    Contradiction(
        any_of(
            r"\b(?:one|single|1)\s+(?:use|time|redemption|credit|reward|bonus|purchase)\b|\bonce\s+(?:only|per|during)\b"
            r"|\bonly\s+once\b|\bone[\s-]time\b|\bone\s+(?:\$\d[\d,]*\s+)?(?:statement\s+)?(?:credit|bonus"
            r"|reward)\s+per\b|\blimit(?:ed\s+to)?\s+(?:of\s+)?one\b"),
        any_of(
            r"\b(?:every|each)\s+(?:single\s+)?time\b|\b(?:as\s+(?:often|many\s+times)\s+as|again\s+and\s+again"
            r"|over\s+and\s+over|time\s+after\s+time)\b|\b(?:on\s+)?every\s+(?:visit|order|stay|trip|purchase|booking)\b"
            r"|\bmore\s+than\s+once\b|\b(?:two|three|four|five|several|multiple|many)\s+times\b"),
        lambda offer: amount(offer.get("max_redemptions")) == 1,
        lambda offer: (amount(offer.get("max_redemptions")) or 1) > 1,
    ),
    Contradiction(
        any_of(
            r"\b(?:up\s+to|capped\s+at|cap\s+of|maximum(?:\s+of)?|limit(?:ed)?\s+(?:of|to)"
            r"|first)\s+(?:a\s+total\s+of\s+)?(?:\$\d[\d,]*|\d[\d,]*\s+points)\b"),
        any_of(
            r"\b(?:no|without(?:\s+(?:a|any))?|zero)\s+(?:\w+\s+)?(?:caps?|ceilings?|maximums?|upper\s+limit)\b"
            r"|\b(?:unlimited|uncapped|limitless)\b|\bnever\s+capped\b"),
        lambda offer: amount(offer.get("reward_cap")) is not None,
    ),
)  # fmt: skip
"""What one part says and another denies. Both sides are read sentence by sentence, in copy and terms."""

_WARNS: Final = any_of(
    r"(?:\b(?:not|no|never|nothing|cannot)\b|n't\b)\s*(?:\w+\s+){0,2}(?:count|qualif|earn|eligible|post|reward)\w*",
    r"(?:\b(?:not|never)\b|n't\b)\s*(?:\w+\s+)?(?:unlimited|uncapped|limitless|endless)\b",
)
"""A sentence that says what doesn't count denies no condition: "purchases made without enrolling don't count"."""


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector that compares the parts of a text with one another; it reads the offer and the copy."""
    return (Detector("conditions_agree", ("terms", "copy"), partial(_conditions, checks)),)


def _conditions(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find the sentences that deny a condition which another field states, or which the same field states."""
    draft, found = signed(checks, subject), list[Evidence]()
    for pair in CONTRADICTIONS:
        denied = [] if pair.allows(subject.offer) else _found(draft, pair.denied, but=_WARNS)
        if denied and (pair.holds(subject.offer) or _found(draft, pair.said, but=pair.denied)):
            found += denied
    return found


def _found(draft: Written, pattern: Any, *, but: Any) -> list[Evidence]:
    return [
        passage.evidence(*sentence.span(match))
        for passage, sentence, match in draft.say(pattern)
        if but.search(sentence.text) is None
    ]
