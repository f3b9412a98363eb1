"""A plain Flesch-Kincaid grade, to hold copy to the reading level it promises."""

import re

_SENTENCES = re.compile(r"[.!?:]+(?:\s|$)")
_WORDS = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\$?\d[\d,.]*\w*")
_VOWELS = re.compile(r"[aeiouy]+")


def syllables(word: str) -> int:
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
