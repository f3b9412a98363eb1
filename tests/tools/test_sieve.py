import random

import re2
from hypothesis import given
from hypothesis import strategies as st

from tools.sieve import Sieve

WORDS = [
    "guaranteed", "act now", "free gift", r"\b(?:no|zero) (?:fees?|interest)\b", r"\d+ ?%", "straße", "a.{3}z",
    r"(?m:^now)", r"gift$", "k", r"(?-i:Now)", "é", r"[é-ñ]x", "\x1f+ (?:gift|fee)", r"fee\b|\Ba", "",
]  # fmt: skip
SIEVE = Sieve(WORDS)
WORD = "zqj sieve sentinel qjz"
DRAW = random.Random(1)
LONG = ["".join(DRAW.choices("ab", k=30)) for _ in range(6000)]


def one_by_one(patterns: list[str], text: str) -> list[int]:
    return [at for at, pattern in enumerate(patterns) if re2.search(f"(?i){pattern}", text) is not None]


ALPHABET = "Act nowfregi%0 15zZstßuéÉñkK\u212aſ\x1f\n."
TEXTS = st.text(alphabet=ALPHABET) | st.lists(st.sampled_from([*WORDS, "ACT NOW", "no fee", "5 %", WORD])).map(" ".join)


@given(TEXTS)
def test_finds_exactly_what_each_expression_finds_alone(text: str) -> None:
    assert SIEVE.occurring(text) == one_by_one(WORDS, text)
    assert SIEVE.occurring(text.encode()) == one_by_one(WORDS, text)


@given(TEXTS, st.integers(0, 40), st.integers(0, 40))
def test_what_may_occur_in_a_text_covers_what_occurs_in_any_part_of_it(text: str, start: int, end: int) -> None:
    assert set(SIEVE.possible(text.encode())) >= set(one_by_one(WORDS, text[start:end]))


def test_an_expression_whose_words_are_missing_is_not_asked() -> None:
    assert 0 not in SIEVE.possible(b"nothing here")
    assert 0 in SIEVE.possible(b"Guaranteed")


def test_finds_the_same_when_the_one_automaton_is_too_large() -> None:
    """More literals than one automaton holds: every expression is asked."""
    many = Sieve(LONG)
    assert many.possible(b"") == list(range(len(LONG)))
    assert many.occurring(f"{LONG[7]} {LONG[5000]}") == [7, 5000]


def test_an_automaton_that_does_not_reach_the_end_is_not_believed() -> None:
    class Starved:
        def Match(self, text: bytes, potential: bool) -> None:
            return None

    starved = Sieve(WORDS)
    starved._filter = Starved()
    assert starved.occurring("act now") == one_by_one(WORDS, "act now")


def test_no_expression_occurs_nowhere() -> None:
    assert Sieve([]).occurring("anything") == []
