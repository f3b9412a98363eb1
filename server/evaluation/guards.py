"""The guards of a verdict: in what a version can be shown to be worse, whatever its first drafts do."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from server.evaluation.intervals import exceeds, holm
from server.evaluation.measures import Measure, all_tokens, broke, family, first_attempt, measures
from server.evaluation.pairing import Pairing, Value, sample
from server.evaluation.verdict import FEWEST_CASES, Guard, Rules
from server.evaluation.wording import number, p_value, share
from tools.prices import Prices

RATES = ("fallback", "no_answer", "unreadable")


@dataclass(frozen=True, slots=True)
class _Asked:
    name: str
    said: str
    p_value: float


def guarded(pairing: Pairing, prices: Prices | None, rules: Rules) -> dict[str, Guard]:
    """Return every guard by name, with p-values adjusted by Holm over all of them."""
    asked = [*_rates(pairing), *_cost(pairing, prices, rules), *_families(pairing)]
    adjusted = holm({one.name: one.p_value for one in asked})
    return {
        one.name: Guard(one.name, f"{one.said} ({p_value(adjusted[one.name])})", adjusted[one.name]) for one in asked
    }


def _rates(pairing: Pairing) -> Iterator[_Asked]:
    by_name = {measure.name: measure for measure in measures()}
    for name in RATES:
        measure: Measure = by_name[name]
        yield _rate(pairing, name, measure.title.lower(), measure.value)


def _families(pairing: Pairing) -> Iterator[_Asked]:
    """Ask of each family that first drafts of the later version broke; one that only the earlier broke can't rise."""
    later = {
        family(clause)
        for pairs in pairing.cases.values()
        for pair in pairs
        if (first := first_attempt(pair.b)) is not None
        for clause in first.violations
    }
    for name in sorted(later):
        yield _rate(pairing, f"family {name}", f"first drafts that break {name}", partial(broke, name=name))


def _rate(pairing: Pairing, name: str, said: str, value: Value) -> _Asked:
    taken = sample(pairing, value)
    told = f"{said}: {share(float(taken.b.mean()))} against {share(float(taken.a.mean()))}"
    return _Asked(name, told, exceeds(taken.differences, repeats=pairing.repeats))


def _cost(pairing: Pairing, prices: Prices | None, rules: Rules) -> Iterator[_Asked]:
    """Ask of the cost; of nothing where too few cases can show it: a remembered answer cost nothing."""
    by_name = {measure.name: measure for measure in measures(prices)}
    value = by_name["cost"].value if prices is not None else all_tokens
    taken = sample(pairing, value)
    if len(taken.a) < FEWEST_CASES:
        return
    unit, places = ("USD per 1,000 offers", 2) if prices is not None else ("tokens per offer", 0)
    before, after = (number(float(side.mean()), places=places) for side in (taken.a, taken.b))
    said = f"cost beyond a rise of {round(100 * rules.cost_margin)} %: {after} against {before} {unit}"
    beyond = taken.b - (1 + rules.cost_margin) * taken.a
    yield _Asked("cost", said, exceeds(beyond, repeats=None))
