"""Draw the protected columns apart from behaviour.

They come from a random stream of their own: with another `correlation`, every other column keeps its bytes, so that
decisions can be shown not to move while age, gender and place do.
"""

from statistics import NormalDist
from typing import Final

import numpy as np
import polars as pl

from tools.sample.purchases import Floats, Ints

CITIES: Final = (
    "Detroit, MI", "Memphis, TN", "Philadelphia, PA", "Phoenix, AZ", "Houston, TX", "Miami, FL", "Chicago, IL",
    "Dallas, TX", "Atlanta, GA", "Los Angeles, CA", "Boston, MA", "New York, NY", "San Francisco, CA",
)  # fmt: skip
FEMALE: Final = (
    "Ada", "Aisha", "Alice", "Amara", "Ana", "Beatriz", "Carmen", "Chloé", "Dana", "Elena", "Emma", "Fatima", "Grace",
    "Hana", "Ines", "Ingrid", "Jia", "Julia", "Keiko", "Laila", "Lucía", "Maya", "Mei", "Nadia", "Nia", "Olga", "Priya",
    "Ruth", "Sofia", "Zoë",
)  # fmt: skip
MALE: Final = (
    "Adam", "Ahmed", "André", "Ben", "Carlos", "Chen", "Daniel", "David", "Diego", "Ethan", "Felix", "Hiro", "Ivan",
    "Jamal", "James", "José", "Kofi", "Leo", "Liam", "Luis", "Malik", "Marco", "Noah", "Omar", "Oscar", "Rahul",
    "Samuel", "Tomás", "Victor", "Yusuf",
)  # fmt: skip
SURNAMES: Final = (
    "Adams", "Ahmed", "Alvarez", "Baker", "Brown", "Castillo", "Chen", "Cohen", "Cruz", "Davis", "Diaz", "Evans",
    "Fischer", "Flores", "García", "Gupta", "Hall", "Ivanova", "Jackson", "Johnson", "Khan", "Kim", "Kowalski", "Lee",
    "Lopez", "Martin", "Mensah", "Müller", "Nguyen", "O'Brien", "Okafor", "Park", "Patel", "Reyes", "Rossi", "Sato",
    "Schmidt", "Silva", "Smith", "Tanaka", "Taylor", "Torres", "Walker", "Wang", "Williams", "Wilson", "Wong", "Wright",
    "Young", "Žižka",
)  # fmt: skip
GENDERS: Final = ("M", "F", "Other")


def draw_people(
    rng: np.random.Generator, *, affluence: Floats, tenure_years: Ints, correlation: float
) -> dict[str, pl.Series]:
    """Return name, age, gender and location; `correlation` (-1 to 1) ties the last three to affluence."""
    members = len(affluence)

    def latent() -> Floats:
        drawn: Floats = correlation * affluence + np.sqrt(1 - correlation**2) * rng.standard_normal(members)
        return drawn

    age = np.clip(np.rint(46 + 14 * latent()), 18 + tenure_years, 100).astype(np.int64)
    male = latent() > 0
    other = rng.random(members) < 0.02
    place = np.searchsorted([NormalDist().inv_cdf(k / len(CITIES)) for k in range(1, len(CITIES))], latent())
    given = np.where(
        male ^ (other & (rng.random(members) < 0.5)),
        rng.integers(0, len(MALE), members),
        len(MALE) + rng.integers(0, len(FEMALE), members),
    )
    surname = rng.integers(0, len(SURNAMES), members)
    names = pl.select(
        pl.concat_str(pl.Series((*MALE, *FEMALE)).gather(given), pl.Series(SURNAMES).gather(surname), separator=" ")
    ).to_series()
    return {
        "name": names,
        "age": pl.Series(age),
        "gender": pl.Series(GENDERS).gather(np.where(other, 2, np.where(male, 0, 1))),
        "location": pl.Series(CITIES).gather(place),
    }
