"""Check of the link to the table of rates and fees in a message that needs one."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tools.email.brand import link_fault
from tools.email.checking import Case, detector, evidence
from tools.report import Evidence

_NAME: Final = re.compile(
    r"\brates?,?\s*(?:and|&)\s*(?:fees?|terms)\b|\bpricing\s*(?:and|&)\s*terms\b|\brates?\s+and\s+fees?\s+table\b",
    re.IGNORECASE,
)


def _rates_link(case: Case, _: Mapping[str, object]) -> Iterator[Evidence]:
    if case.subject.offer.get("rates_fees_link") in (None, False, ""):
        return
    for text in case.document.parsed.texts:
        element = text.parent
        while element.tag.name != "a" and element.parent is not None:
            element = element.parent
        url = element.tag.attributes.get("href", "")
        if element.tag.name == "a" and _NAME.search(text.text) and link_fault(url, case.facts.allowed_hosts) is None:
            return
    yield evidence("html", "no link called Rates & Fees leads to a page of ours")


RATES: Final = (detector("message_rates_link", _rates_link, needs=["html"], depends_on=("terms", "message")),)
"""The detector of the link to rates and fees."""
