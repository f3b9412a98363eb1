"""Statements of what the reader did: "you booked twice", where "once you have booked" would be a condition."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from tools.claims.written import any_of, matches, signed
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_OPENS: Final = (
    r"(?:^|[.!?;:,\n]\s*|\s-+\s*|\b(?:and|but|so|because|since|that|how|know|knew|see|noticed|heard?|like|seems|guess|think|recall"
    r"|remember|today|yesterday|apparently|clearly|looks\s+like|of\s+course)\s+)"
)
"""Where a main clause may begin; behind "the trip" or "purchases", "you booked" is part of a noun."""
_ADVERBS: Final = (
    r"(?:\s+(?:recently|just|already|also|once|twice|often|usually|really|always|never|once\s+again"
    r"|clearly|last\s+\w+|only|both|all|even|nearly))*"
)
_IRREGULAR: Final = (
    r"spent|bought|ate|eaten|went|gone|flew|flown|took|taken|made|had|were|drove|driven|came|ran|paid|sent|left|lost|chose\s+to\s+(?:shop|dine|book"
    r"|stay|travel|spend)|gave|kept|sold|saw|read\s+\d|slept|met|drank|drunk|grew|fell|got\s+(?:a|an|your|two|three|the|takeout|back)"
    r"|swept|stood|sat|wore|rode|began|stuck|been\s+(?:to|in|at|on|a|an|eating|shopping|spending|traveling"
    r"|travelling|dining|ordering|booking|buying|visiting|using|busy|away|quiet|missing|thinking|looking|browsing|searching|streaming|saving)"
)
_REGULAR: Final = r"(?:[a-z]+(?:[^e\W\d_]ed|ied))"
_TOLD: Final = any_of(
    rf"{_OPENS}you(?:'ve|\s+have)?{_ADVERBS}\s+(?:{_IRREGULAR}|{_REGULAR})(?:$|[^\w'])",
    rf"{_OPENS}you(?:'ve|\s+have|\s+did)?\s+(?:not|n't|stopped|quit|hardly|barely)\s+(?:{_IRREGULAR}|{_REGULAR})\b",
    rf"(?:^|[.!?;:\n]\s*)(?:back\s+)?(?:in|on|at|over|during|this|that)\s+[\w']+(?:\s+[\w']+)?,?\s+you{_ADVERBS}\s+(?:{_IRREGULAR}|{_REGULAR})(?:$|[^\w'])",
    r"\b(?:it\s+)?(?:looks?|seems?|sounds?|appears?)\s+(?:like\s+|as\s+if\s+|that\s+|to\s+us\s+)?you(?:'re|'ve|\s+(?:are|have|prefer|like|love|enjoy"
    r"|go|eat|dine|shop|travel|stay|book|buy|spend|order|tend|usually|often|always|really|can't|never|don't))\b",
    r"\bwe\s+(?:know|remember|recall|heard?|gather|learned|found\s+out|could\s+tell|can\s+tell|can\s+see|see)\s+"
    r"(?:where|what|when|how|which|who|why|that|about|from)\s+you(?:r)?\b(?:'ve|'re)?\s+(?:\w+\s+)?"
    r"(?:[a-z]{3,}ed|had|spent|bought|ate|went|flew|took|made|were|like|love|eat|dine|shop|travel|stay|book|buy|spend|order|enjoy|visit|do|did|been)\b",
    rf"{_OPENS}you(?:\s+\w+ly)?\s+(?:shop|dine|eat|order|stay|travel|fly|buy|book|spend|visit|stream|splurge)\s+"
    r"[^.!?]{0,30}?\b(?:every|each)\s+(?:day|week|month|weekend|(?:mon|tues|wednes|thurs|fri|satur|sun)day)",
    r"\byour\s+(?:most|least|top)[\s-](?:visited|used|shopped|ordered|frequented|booked|loved|bought|purchased|charged)\b",
    r"\byour\s+(?:[a-z]+\s+){0,2}?(?:trip|stay|visit|dinner|lunch|order|purchase|flight|booking|getaway|vacation|meal|haul|spree)s?\s+"
    r"(?:(?:to|in|at|from|on|with)\s+[^.!?]{1,24}?\s+)?(?:cost|was|were|came|ended|totaled|went|took|ran|set\s+you|must\s+have)\b",
    r"\blast\s+(?:night|week|weekend|month|year|summer|winter|spring|fall|autumn|(?:mon|tues|wednes|thurs|fri|satur|sun)day)(?:'s)?\s+"
    r"(?:dinner|lunch|brunch|trip|stay|order|visit|purchase|meal|booking|flight|haul|bill|check|takeout|shopping|spree)",
    r"(?:^|[.!?]\s+)(?:\d+|two|three|four|five|six|seven|eight|nine|ten|a\s+dozen)\s+(?:\w+\s+)?(?:bookings|trips|visits|orders|dinners|purchases|stays"
    r"|flights|transactions|meals|app\s+opens|clicks)\s+(?:in|this|since|over|so\s+far|last|already)\b[^.!?]*\b(?:you(?:'re|r|'ve)?|regular|roll|habit|impress\w+|not\s+bad)\b",
    r"\b(?:dip|drop|rise|jump|surge|change|shift|increase|decrease|spike|lull|slump|uptick)\s+in\s+(?:your\s+)?(?:use|usage|spending|spend|visits|activity|shopping|dining|travel)\b",
)
_CONDITION: Final = any_of(
    r"\b(?:if|once|when|whenever|after|until|unless|before|as\s+soon\s+as|provided|assuming|in\s+case|while|whether)\s+you(?:'ve|\s+have)?\b",
    r"\byou(?:'ve|\s+have)?\s+(?:already\s+)?(?:been\s+)?(?:enrolled|chosen|asked|received|registered|subscribed|agreed|signed\s+up|opted|earned|deserved"
    r"|wanted|waited|hoped|dreamed|needed|selected|invited|imagined|craved|pictured)\b",
)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of statements of what the reader did."""
    return (Detector("no_reader_story", ("terms", "copy"), partial(_no_reader_story, checks, _TOLD)),)


def _no_reader_story(
    checks: Checks, pattern: Any, subject: Subject, params: Mapping[str, object]
) -> Sequence[Evidence]:
    return tuple(matches(signed(checks, subject), pattern, excuse=_CONDITION))
