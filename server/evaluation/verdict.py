"""The plain verdict on two versions: better, worse or can't tell, by rules that are fixed before any run.

1. The primary measure is the share of first drafts that pass. It decides at a two-sided 4 %.
2. Guards may each say "worse", together at 1 % (one-sided, Holm): fallback copy, calls without an answer, answers that
   can't be read, cost (tokens without prices) beyond a margin, and every family of clauses the later version broke.
3. A tripped guard outweighs a better primary. Nothing else counts: no quality by a model, no readability, no length.

So two versions that are equal get "better" or "worse" in at most one of twenty comparisons.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from server.evaluation.intervals import LEVEL, POWER, Interval, cases_needed, least_shown
from server.evaluation.wording import counted, p_value, points, share

Word = Literal["better", "worse", "can't tell"]

PRIMARY: Final = "first_pass"
PRIMARY_ALPHA: Final = 0.04
GUARDS_ALPHA: Final = 0.01
FEWEST_CASES: Final = 10
"""Cases below which no verdict is given: an interval of so few says next to nothing."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a caller may set before a comparison: by which share the cost may rise before the guard asks."""

    cost_margin: float = 0.25


@dataclass(frozen=True, slots=True)
class Guard:
    """One way to be worse. `said` names it with both values; `p_value` is adjusted for there being many."""

    name: str
    said: str
    p_value: float

    @property
    def tripped(self) -> bool:
        """Whether it is shown that the later version is worse in this."""
        return self.p_value <= GUARDS_ALPHA


@dataclass(frozen=True, slots=True)
class Primary:
    """The primary measure: its mean on both sides and its difference."""

    a: float
    b: float
    interval: Interval
    repeats: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """The word, and why. `cases_needed` is None unless the word is "can't tell" and the number is known."""

    word: Word
    why: str
    cases_needed: int | None = None


def judge(primary: Primary, guards: Mapping[str, Guard]) -> Verdict:
    """Return the verdict that the rules above give."""
    tripped = [guard for guard in guards.values() if guard.tripped]
    seen = _seen(primary)
    said = _difference(primary)
    if primary.interval.cases < FEWEST_CASES:
        few = f"{counted(primary.interval.cases, 'case')} to compare are too few to say anything"
        return Verdict("can't tell", f"{few}; a verdict takes {FEWEST_CASES} at least. {said}")
    if tripped:
        named = "; ".join(guard.said for guard in tripped)
        why = f"{said} Guards say so too: {named}." if seen == "worse" else f"Guards say so: {named}. {said}"
        return Verdict("worse", why)
    if seen == "can't tell":
        return _open(primary, said)
    return Verdict(seen, f"{said} No guard was tripped." if seen == "better" else said)


def _seen(primary: Primary) -> Word:
    interval = primary.interval
    if interval.p_value is None or interval.p_value > PRIMARY_ALPHA:
        return "can't tell"
    return "better" if interval.difference > 0 else "worse"


def _difference(primary: Primary) -> str:
    interval = primary.interval
    over = counted(interval.cases, "case") + (f" of {primary.repeats} repeats" if primary.repeats > 1 else "")
    bounds = ""
    if interval.low is not None and interval.high is not None:
        low, high = (points(bound, unit=False) for bound in (interval.low, interval.high))
        bounds = f" [{round(100 * LEVEL)} % interval {low} to {high}]"
    return (
        f"First drafts pass in {share(primary.b)} against {share(primary.a)}: "
        f"{points(interval.difference)}{bounds} over {over}."
    )


def _open(primary: Primary, said: str) -> Verdict:
    interval = primary.interval
    needed = cases_needed(interval.difference, interval.spread, alpha=PRIMARY_ALPHA)
    least = min(1.0, least_shown(interval.cases, interval.spread, alpha=PRIMARY_ALPHA))
    shown = f"this many show one of {points(least, signed=False)} or more"
    if interval.p_value is not None and interval.p_value <= 1 - LEVEL:
        why = f"That is too close to call ({p_value(interval.p_value)}; a verdict takes {PRIMARY_ALPHA})"
    else:
        why = "That can be chance"
    if needed is None:
        none = "no difference was seen" if interval.difference == 0 else "the difference is next to nothing"
        return Verdict("can't tell", f"{said} {why}: {none}; {shown}.")
    more = (
        f"to see a difference of this size takes about {counted(needed, 'member')} ({round(100 * POWER)} % of the time)"
    )
    return Verdict("can't tell", f"{said} {why}: {more}; {shown}.", needed)
