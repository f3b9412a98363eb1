"""Verdicts on two versions of which the second is better by a known chance, or not at all."""

from collections.abc import Iterator

import numpy as np

from server.evaluation.guards import guarded
from server.evaluation.intervals import rate_interval
from server.evaluation.measures import passed_first
from server.evaluation.pairing import paired, sample
from server.evaluation.records import CaseResult
from server.evaluation.verdict import Primary, Rules, Word, judge
from tests.server.evaluation.runs import PRICES, call, failing, passing, result

CLAUSES = ("UDAAP-12/savings", "REGZ-02/rate", "GRD-01/amounts", "travel_offer_policy/words", "SEC-01/prose")


def verdicts(rounds: int, *, cases: int, repeats: int, seed: int, mended: float = 0.0) -> Iterator[Word]:
    """Yield a verdict a round, guards and all. `mended` is the chance that the second version mends a failing draft.

    A first draft passes with its case's probability (two of three on average); one that doesn't breaks a clause of one
    of five families, or ends in fallback copy.
    """
    chance = np.random.default_rng(seed)
    keys = [(case, repeat) for case in range(cases) for repeat in range(repeats)]
    kinds = {key: _kinds(f"c-{key[0]}", key[1]) for key in keys}
    for _ in range(rounds):
        ease = chance.beta(2, 1, cases)
        sides = []
        for better in (0.0, mended):
            passes = ease + (1 - ease) * better
            sides.append([kinds[key][0 if chance.random() < passes[key[0]] else chance.integers(1, 7)] for key in keys])
        yield _word(sides[0], sides[1], repeats)


def _kinds(case_id: str, repeat: int) -> tuple[CaseResult, ...]:
    calls = (call(), call(), call())
    return (
        result(case_id, repeat, passing(), calls=calls[:1]),
        *(result(case_id, repeat, failing(clause), passing(), calls=calls[:2]) for clause in CLAUSES),
        result(case_id, repeat, failing(), failing(), copy_source="fallback", calls=calls),
    )


def _word(before: list[CaseResult], after: list[CaseResult], repeats: int) -> Word:
    pairing = paired(before, after)
    taken = sample(pairing, passed_first)
    interval = rate_interval(taken.differences, repeats=repeats)
    primary = Primary(float(taken.a.mean()), float(taken.b.mean()), interval, repeats)
    return judge(primary, guarded(pairing, PRICES, Rules())).word
