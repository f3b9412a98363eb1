"""The Flesch-Kincaid grade, to hold copy to the reading level it promises.

The formula is of Kincaid and others, Naval Technical Training Command, report 8-75 (1975). Syllables are counted twice,
by groups of vowels and by Pyphen's hyphenation of American English, and the greater count is taken.
"""

import re

import pyphen

_SENTENCES = re.compile(r"[.!?:]+(?:\s|$)")
_WORDS = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\$?\d[\d,.]*\w*")
_VOWELS = re.compile(r"[aeiouy]+")


_HYPHENS = pyphen.Pyphen(lang="en_US")


def syllables(word: str) -> int:
    return max(_vowel_groups(word), len(_HYPHENS.positions(word)) + 1)


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


def grade(text: str) -> float:
    words = _WORDS.findall(text)
    sentences = max(1, len(_SENTENCES.findall(text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59
