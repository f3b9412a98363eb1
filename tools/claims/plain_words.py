"""How hard terms are to read, and whether they say who makes the offer. 12 CFR 1026.5(a)(1), by analogy."""

import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import Final

from tools.claims.written import signed
from tools.errors import InputInvalid
from tools.folding import MASK
from tools.grounding.checks import Checks
from tools.grounding.merchants import key_of
from tools.report import Evidence
from tools.subject import Detector, Subject

_SENTENCE: Final = re.compile(r"[^.!?;\n]+(?:[.!?;]+(?=\s|$)|\n|$|[.!?;](?=\S)[^.!?;\n]*)*")
_WORD: Final = re.compile(rf"[A-Za-z][A-Za-z'-]*|{MASK}+|[$]?\d[\d,.]*[A-Za-z%]*")
_VOWELS: Final = re.compile(r"[aeiouy]+")
_LEAST_WORDS: Final = 8
"""A shorter text says too little for an estimate."""


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of terms that are hard to read and of terms that name no sponsor."""
    return (
        Detector("plain_terms", ("terms",), partial(_plain_terms, checks), frozenset({"max_grade"})),
        Detector("sponsor_named", ("terms",), partial(_sponsor_named, checks)),
    )


@lru_cache(maxsize=4096)
def syllables(word: str) -> int:
    """Estimate the syllables of an English word; numbers and names count as one."""
    low = word.lower().strip("'-")
    if not low[:1].isalpha():
        return 1
    parts = [part for part in low.split("-") if part]
    if len(parts) > 1:
        return sum(map(syllables, parts))
    low = low.removesuffix("'s").replace("'", "")
    count = len(_VOWELS.findall(low))
    if (low.endswith("e") and not low.endswith(("le", "ee", "ye"))) or (
        low.endswith(("es", "ed"))
        and not low.endswith(("ses", "zes", "ches", "shes", "ces", "ges", "xes", "ted", "ded", "les"))
    ):
        count -= 1
    return max(count, 1)


def reading_grade(text: str) -> float:
    """Return the Flesch-Kincaid grade: the US school year that reads the text with ease."""
    sentences = [words for part in _SENTENCE.findall(text) if (words := _WORD.findall(part))]
    words = [word for each in sentences for word in each]
    if not words:
        return 0.0
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def _plain_terms(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find terms above the grade; the evidence is their hardest sentence."""
    most = params.get("max_grade", 10)
    if isinstance(most, bool) or not isinstance(most, int | float):
        raise InputInvalid(f"max_grade: {most!r} is not a number; correct it in the clause's params")
    for passage in signed(checks, subject).only("terms").passages:
        text = passage.text
        if len(_WORD.findall(text)) < _LEAST_WORDS or reading_grade(text) <= most:
            continue
        hardest = max(_SENTENCE.finditer(text), key=lambda match: reading_grade(match[0]))
        return [passage.evidence(*hardest.span())]
    return []


def _sponsor_named(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find terms in which the issuer's name doesn't stand."""
    words, issuer = key_of(subject.text.get("terms", "")), checks.gazetteer.issuer
    named = any(words[at : at + len(issuer)] == issuer for at in range(len(words)))
    return [] if named else [Evidence(field="terms", quote="the issuer's name is missing")]
