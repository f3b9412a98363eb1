"""Looking for all patterns in one pass finds exactly what each pattern finds by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from tools.policies.gate import Gate
from tools.policies.pattern import PatternTest, WrittenText
from tools.vocabulary import COPY_FIELDS

WORDS = """guaranteed approval no interest unlimited free last chance today only act now hurry pre-approved the best in
    the world your income lower APR best price click here unsubscribe. Enroll by December 7, 2026! exclusive as seen on
    credit limit religion age family status thanks to your late payment secret risk-free \u0430ct \uff46ree"""
SAID = st.sampled_from(WORDS.split())
TEXTS = st.dictionaries(st.sampled_from((*COPY_FIELDS, "terms")), st.lists(SAID | st.text(max_size=6)).map(" ".join))


@pytest.fixture(scope="module")
def gate() -> Gate:
    loaded = load_rulebook(load_settings(_env_file=None)).gate
    loaded.policies.expressions.occurring(b"")  # compiled before the first example is timed
    return loaded


def patterns_of(gate: Gate) -> list[PatternTest]:
    clauses = (clause for policy in gate.policies.active for clause in policy.clauses)
    return [clause.pattern for clause in clauses if clause.pattern is not None]


@given(text=TEXTS)
def test_one_pass_finds_what_each_pattern_finds_alone(gate: Gate, text: dict[str, str]) -> None:
    names = [gate.merchant_names]
    together, alone = WrittenText(text, names, gate.policies.expressions), WrittenText(text, names)
    for pattern in patterns_of(gate):
        assert pattern.run(together) == pattern.run(alone)


def test_the_pass_covers_the_patterns_of_the_active_clauses(gate: Gate) -> None:
    known = gate.policies.expressions.known
    covered = [test for test in patterns_of(gate) if test.screened() and known.issuperset(test.screened())]
    assert len(covered) >= len(patterns_of(gate)) / 2
