"""How much the drafts of one version differ from each other, compared with their slots, as the model wrote them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, islice, pairwise
from typing import Final

from tools.readability import words

PAIRS: Final = 2_000
SEED: Final = 20260504


@dataclass(frozen=True, slots=True)
class Diversity:
    """Of all bodies of a version. `similarity` is the mean Jaccard index of two bodies' word pairs: 1 is all alike.

    distinct-n is the share of different n-grams among all (Li and others, "A diversity-promoting objective function for
    neural conversation models", 2016). It falls as texts get more, so compare versions over the same cases only.
    """

    bodies: int
    distinct_bodies: float
    distinct_1: float
    distinct_2: float
    similarity: float | None


def diversity(bodies: Sequence[str]) -> Diversity | None:
    """Return how diverse the texts are, over a seeded sample of pairs where there are many; None for no text."""
    if not bodies:
        return None
    read = [[word.lower() for word in words(body)] for body in bodies]
    return Diversity(
        bodies=len(bodies),
        distinct_bodies=len(set(bodies)) / len(bodies),
        distinct_1=_distinct([(word,) for text in read for word in text]),
        distinct_2=_distinct([pair for text in read for pair in pairwise(text)]),
        similarity=_similarity([frozenset(pairwise(text)) for text in read]),
    )


def _distinct(grams: Sequence[tuple[str, ...]]) -> float:
    return len(set(grams)) / len(grams) if grams else 0.0


def _similarity(texts: Sequence[frozenset[tuple[str, str]]]) -> float | None:
    pairs = [(one, other) for one, other in _sampled(len(texts)) if texts[one] or texts[other]]
    if not pairs:
        return None
    return sum(len(texts[one] & texts[other]) / len(texts[one] | texts[other]) for one, other in pairs) / len(pairs)


def _sampled(count: int) -> Sequence[tuple[int, int]]:
    if count * (count - 1) // 2 <= PAIRS:
        return list(combinations(range(count), 2))
    chosen = random.Random(SEED)
    drawn = ((chosen.randrange(count), chosen.randrange(count)) for _ in iter(int, 1))
    return list(islice(((one, other) for one, other in drawn if one != other), PAIRS))
