"""CEL tests: compiled once, run in one context per draft."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import cel

from tools.policies.expression import CelInvalid, read_expression
from tools.policies.facts import ALWAYS_GIVEN
from tools.policies.regex import compile_regex


@dataclass(frozen=True, slots=True)
class CelTest:
    """A compiled expression, the facts it reads as (root, field) pairs, and the offer fields it asks `has` of."""

    program: cel.Program
    reads: frozenset[tuple[str, str]]
    asks: frozenset[str]

    def run(self, context: cel.Context) -> bool:
        """Return the expression's value.

        Raises:
            KeyError: a fact it reached is absent.
            TypeError: its value, or an operand, is of the wrong type.
            RuntimeError: a function it called failed.
        """
        value = self.program.execute(context)
        if not isinstance(value, bool):
            raise TypeError(f"the value is {value!r}, not true or false")
        return value


def compile_cel(source: str, limits: Mapping[str, float]) -> CelTest:
    """Compile an expression with the policy's limits written into it, so that one context serves all policies.

    Raises:
        CelInvalid: it doesn't parse, or names something that doesn't exist.
    """
    expression = read_expression(source, limits)
    try:
        program = cel.compile(expression.source)
    except ValueError as error:
        raise CelInvalid("limits are numbers: compare them, don't ask has(limits.…)") from error
    return CelTest(program, expression.reads, expression.asks)


def check_asked(*tests: CelTest | None) -> None:
    """Check that a clause's expressions ask `has(…)` for each offer field that may be absent.

    Raises:
        CelInvalid: one doesn't; the clause would be unknown for every offer without that term.
    """
    given = [test for test in tests if test is not None]
    asked = ALWAYS_GIVEN.union(*(test.asks for test in given))
    for root, field in sorted(frozenset().union(*(test.reads for test in given))):
        if root == "offer" and field not in asked:
            raise CelInvalid(f"offer.{field} may be absent: ask has(offer.{field}) and say what holds without it")


def context_of(
    offer: Mapping[str, object], member: Mapping[str, object], text: Mapping[str, str], send_date: date
) -> cel.Context:
    """Return the one context all clauses of a draft run in. The maps hold what `facts.typed` returned."""
    variables = {"offer": dict(offer), "member": dict(member), "text": dict(text), "send_date": send_date.isoformat()}
    return cel.Context(variables, {"matches": _matches, "days_between": _days_between})


def _matches(text: str, pattern: str) -> bool:
    return compile_regex(pattern, case_sensitive=True).search(text) is not None


def _days_between(start: str, end: str) -> int:
    return (date.fromisoformat(end) - date.fromisoformat(start)).days
