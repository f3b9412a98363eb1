"""Which results of two runs belong together: the same case, the same repeat, a draft due on both sides."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from server.evaluation.intervals import Array
from server.evaluation.measures import standing
from server.evaluation.records import CaseResult

Value = Callable[[CaseResult], float | None]


@dataclass(frozen=True, slots=True)
class Pair:
    """One case and repeat, by the earlier version and by the later one."""

    a: CaseResult
    b: CaseResult


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs of two runs. `matched` are all that both ran; `cases` those of them where both had a draft due, by case.

    `alone` counts results that only one run has, `held` and `broken` pairs that are left out because a side was.
    """

    matched: tuple[Pair, ...]
    cases: dict[str, tuple[Pair, ...]]
    alone: int
    held: int
    broken: int

    @property
    def pairs(self) -> int:
        """How many pairs are compared."""
        return sum(map(len, self.cases.values()))

    @property
    def repeats(self) -> int:
        """Return the fewest repeats that any case has, at least 1."""
        return min(map(len, self.cases.values()), default=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """A measure's mean per case, of those cases that show it on both sides, in the same order."""

    a: Array
    b: Array

    @property
    def differences(self) -> Array:
        """Later less earlier."""
        return self.b - self.a


def paired(a: Iterable[CaseResult], b: Iterable[CaseResult]) -> Pairing:
    """Return the pairs of two runs, in the order of the first one's cases and repeats."""
    earlier, later = ({(one.case_id, one.repeat): one for one in results} for results in (a, b))
    matched = tuple(Pair(earlier[key], later[key]) for key in sorted(earlier.keys() & later.keys()))
    by_case: dict[str, list[Pair]] = {}
    left = Counter[str]()
    for pair in matched:
        stands = {standing(pair.a), standing(pair.b)}
        if stands == {"drafted"}:
            by_case.setdefault(pair.a.case_id, []).append(pair)
        else:
            left["broken" if "broken" in stands else "held"] += 1
    return Pairing(
        matched=matched,
        cases={case_id: tuple(pairs) for case_id, pairs in by_case.items()},
        alone=len(earlier.keys() ^ later.keys()),
        held=left["held"],
        broken=left["broken"],
    )


def sample(pairing: Pairing, value: Value) -> Sample:
    """Return the means per case of one measure, over the pairs that show it on both sides."""
    means = [case for pairs in pairing.cases.values() if (case := _means(pairs, value)) is not None]
    return Sample(np.array([a for a, _ in means], dtype=float), np.array([b for _, b in means], dtype=float))


def sharing_a_prompt(pairing: Pairing) -> int:
    """Return how many cases have a first drafting prompt that another case has too, on either side."""
    shared: set[str] = set()
    for side in ("a", "b"):
        owners: dict[str, set[str]] = {}
        for case_id, pairs in pairing.cases.items():
            for pair in pairs:
                owners.setdefault(getattr(pair, side).prompt_sha, set()).add(case_id)
        shared |= {case_id for sha, cases in owners.items() if sha and len(cases) > 1 for case_id in cases}
    return len(shared)


def _means(pairs: Sequence[Pair], value: Value) -> tuple[float, float] | None:
    both = [(a, b) for pair in pairs if (a := value(pair.a)) is not None and (b := value(pair.b)) is not None]
    if not both:
        return None
    return sum(a for a, _ in both) / len(both), sum(b for _, b in both) / len(both)
