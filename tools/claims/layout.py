"""How copy is set: shouting in capitals or exclamation marks. Lengths are plain expressions of the policy."""

import re
from collections.abc import Mapping
from functools import partial
from typing import Final

from tools.claims.written import COPY, signed
from tools.grounding.checks import Checks
from tools.grounding.tokens import listed
from tools.report import Evidence
from tools.subject import Detector, Subject

_CAPITALS: Final = re.compile(r"(?<![\w&])[A-Z][A-Z']+(?![\w&])")
_ACRONYMS: Final = frozenset(
    listed(
        """
        aarp amoled apac asap atms bogo covid emea faqs fdic fifa gmail hdmi hepa hvac icann ieee imax ikea isbn
        ispa lgbtq mlb moma naacp nafta nasa nasdaq nato ncaa nyse nycb oled opec osha pdfs qled saas sata scuba seo
        sku skus suv suvs tsa ucla unesco unicef uhd usaa usda usps wifi yeti ymca ywca vpns ebay asos dyson lego
        """
    )
)
_SHORT_WORDS: Final = frozenset(
    listed(
        """
        wow now get big new off all you our win yes hot one two ten day fun act buy see try try it's its the and for out
        run ask add eat sip top use not end why pay who hey save go up up big let box bag sun
        """
    )
)
"""Words of two or three letters that are no acronyms: in capitals they shout."""
_LEAST = 4
"""Letters from which a word in capitals counts as a word unless it is a known acronym or has no vowel."""
_VOWELS: Final = frozenset("AEIOUY")


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of shouting."""
    return (Detector("no_shouting", ("copy",), partial(_no_shouting, checks)),)


def _no_shouting(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find words in capitals that are no acronyms, and every exclamation mark of the copy after the first."""
    found: list[Evidence] = []
    marks: list[Evidence] = []
    for passage in signed(checks, subject).only(*COPY).passages:
        text = passage.text
        words = [
            match for match in _CAPITALS.finditer(text) if _is_shouted(match[0]) and not _is_code(text, match.start())
        ]
        found += [passage.evidence(*match.span()) for match in words]
        if "!" in text:
            marks += [passage.evidence(at, at + 1) for at, char in enumerate(text) if char == "!"]
    return found + marks[1:]


def _is_code(text: str, start: int) -> bool:
    """Tell a code that is typed as it stands, as in "use code BOOKS"."""
    return text[:start].rstrip(" \"':").lower().endswith((" code", "keyword", "password", " text"))


def _is_shouted(word: str) -> bool:
    plain = word.replace("'", "").lower()
    if len(plain) < _LEAST:
        return plain in _SHORT_WORDS and len(plain) > 1
    return plain not in _ACRONYMS and not _VOWELS.isdisjoint(word)
