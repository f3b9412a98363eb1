"""A made-up comparison that looks like a real one, for pictures and for looking at reports."""

import numpy as np

from server.evaluation.compare import Comparison, compare
from server.evaluation.records import AttemptResult, CaseResult
from tests.server.evaluation.runs import PRICES, Run, call, draft, result, run

BODIES = (
    "{first_name}, dinner plans? Earn {offer_value} at {merchants} until {expiry_date}. Spend {minimum_spend} or more.",
    "Your table is waiting. Use your {card_type} card at {merchants} by {expiry_date} and earn {offer_value}.",
    "Earn {offer_value} when you dine at {merchants}. The offer ends on {expiry_date}, with a cap of {reward_cap}.",
    "Good food, more points: {offer_value} at {merchants}, until {expiry_date}. Enroll by {enroll_by} to take part.",
)
BROKEN = (
    (
        "Hurry, {first_name}! Only hours left to earn {offer_value} at {merchants}.",
        "UDAAP-14/false-urgency",
        "Only hours left",
    ),
    (
        "The best rewards of any card: earn {offer_value} at {merchants} until {expiry_date}.",
        "UDAAP-12/superlative",
        "The best rewards of any card",
    ),
    ("Earn {offer_value} at {merchants}. Dinner is on us, always.", "REGZ-07/rate-beside-end", "Earn {offer_value}"),
    ("earn earn {offer_value} {merchants} dinner go", "SEC-03/english-prose", ""),
)
"""Bodies, the clause each breaks and the words it objects to."""


def _attempt(chance: np.random.Generator, *, passes: bool) -> AttemptResult:
    if passes:
        return AttemptResult(draft=draft(str(chance.choice(BODIES))), verdict="pass")
    body, clause, quote = BROKEN[int(chance.choice(4, p=[0.5, 0.3, 0.15, 0.05]))]
    return AttemptResult(
        draft=draft(body, headline="Don't wait: more at dinner"),
        verdict="violate",
        violations=(clause,),
        quotes={clause: quote} if quote else {},
    )


def _run(name: str, digest: str, rate: float, tokens: int, *, seed: int) -> Run:
    chance, ease = np.random.default_rng(seed), np.random.default_rng(1).beta(5 * rate, 5 * (1 - rate), 100)
    results: list[CaseResult] = []
    for case in range(100):
        for repeat in range(3):
            passes = bool(chance.random() < ease[case])
            second = bool(chance.random() < 0.8)
            attempts = [_attempt(chance, passes=passes)]
            if not passes:
                attempts += [_attempt(chance, passes=second)]
            given = attempts[-1].draft
            results.append(
                result(
                    f"golden-{case:03d}",
                    repeat,
                    *attempts,
                    copy_source="model" if passes or second else "fallback",
                    copy_text={} if given is None else given.text.fields(),
                    hypotheses_kept=int(chance.integers(1, 4)),
                    hypotheses_dropped=int(chance.integers(0, 2)),
                    calls=[
                        call(
                            input_tokens=int(tokens + chance.integers(0, 90)),
                            output_tokens=int(chance.integers(90, 150)),
                        )
                        for _ in attempts
                    ],
                    elapsed_ms=float(chance.gamma(6, 180) * len(attempts)),
                )
            )
    return run(
        results,
        prompt=name,
        eval_id=f"{digest}-0504",
        judge_model="vendor/judge-1",
        digests={"draft": digest * 8, "analyze": "c" * 64},
        repeat=3,
    )


def shown(before: float = 0.72, after: float = 0.86) -> Comparison:
    """Return a comparison of two versions whose first drafts pass with these probabilities."""
    a, b = _run("draft", "3f0a9c1d", before, 1120, seed=1), _run("draft@b", "8be41f77", after, 1190, seed=2)
    return compare(a, b, prices=PRICES)
