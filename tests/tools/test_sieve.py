import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.sieve import Sieve

WORDS = ["guaranteed", "act now", "free gift", r"\b(?:no|zero) (?:fees?|interest)\b", r"\d+ ?%", "straße", "a.{3}z"]
MANY = ["a"] * 500
STARVED = 16_000
STARVING = Sieve(MANY, memory=STARVED)
BY_TWOS = Sieve(WORDS, together=2)


def one_by_one(patterns: list[str], text: str) -> list[int]:
    return [at for at, pattern in enumerate(patterns) if re2.search(f"(?i){pattern}", text) is not None]


@given(st.text(alphabet="Act nowfregi%0 15zZstßu.\n") | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_finds_exactly_what_each_expression_finds_alone(text: str) -> None:
    assert Sieve(WORDS).occurring(text) == BY_TWOS.occurring(text) == one_by_one(WORDS, text)


def test_an_automaton_without_memory_answers_that_nothing_occurs() -> None:
    """The danger that the sieve guards against is real."""
    options = re2.Options()
    options.max_mem, options.log_errors = STARVED, False
    bare = re2.Set.SearchSet(options)
    for pattern in MANY:
        bare.Add(pattern)
    bare.Compile()
    assert bare.Match("aaaa") is None


@settings(deadline=None)  # five hundred searches each, on whatever machine
@given(st.text(alphabet="ab"))
def test_finds_the_same_when_the_one_pass_runs_out_of_memory(text: str) -> None:
    assert STARVING.occurring(text) == one_by_one(MANY, text)


def test_no_expression_occurs_nowhere() -> None:
    assert Sieve([]).occurring("anything") == []
