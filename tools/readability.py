"""How hard English copy is to read: the Flesch-Kincaid grade and the Flesch reading ease.

The grade is of Kincaid and others, Naval Technical Training Command, report 8-75 (1975), the ease of Flesch, "A new
readability yardstick" (1948). Syllables are counted twice, by groups of vowels and by Pyphen's hyphenation of American
English, and the greater count is taken.
"""

import re
from functools import cache, lru_cache
from typing import Final, NamedTuple

import pyphen

_SENTENCES: Final = re.compile(r"[.!?:]+(?:\s|$)")
_WORDS: Final = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\$?\d[\d,.]*\w*")
_VOWELS: Final = re.compile(r"[aeiouy]+")


class Density(NamedTuple):
    """What both formulas are made of: words per sentence and syllables per word."""

    words: float
    syllables: float


def grade(text: str) -> float:
    """Return the American school grade that reads the text with ease; ValueError if it holds no word."""
    of = _density(text)
    return 0.39 * of.words + 11.8 * of.syllables - 15.59


def ease(text: str) -> float:
    """Return the reading ease: 60 to 70 is plain English, higher is easier; ValueError if the text holds no word."""
    of = _density(text)
    return 206.835 - 1.015 * of.words - 84.6 * of.syllables


def words(text: str) -> list[str]:
    """Return the words and numbers of a text, as the formulas count them."""
    return _WORDS.findall(text)


@lru_cache(maxsize=10_000)
def syllables(word: str) -> int:
    """Return how many syllables a word has, at least one."""
    return max(_vowel_groups(word), len(_hyphens().positions(word)) + 1)


def _density(text: str) -> Density:
    found = words(text)
    if not found:
        raise ValueError(f"no word to read in {text!r}")
    sentences = max(1, len(_SENTENCES.findall(text)))
    return Density(len(found) / sentences, sum(map(syllables, found)) / len(found))


@cache
def _hyphens() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")


def _vowel_groups(word: str) -> int:
    word = word.lower()
    if not word[0].isalpha():
        return 1
    count = len(_VOWELS.findall(word))
    if word.endswith("e") and not word.endswith(("le", "ee", "ye")) and count > 1:
        count -= 1
    if word.endswith("ed") and not word.endswith(("ted", "ded")) and count > 1:
        count -= 1
    return max(count, 1)
