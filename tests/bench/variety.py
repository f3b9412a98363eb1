"""How much the copy of 1,000 sample members varies: the most used headline and body of each domain, and what is alike.

With a model that takes the first of every list, and without a model. No database and no other model take part.
"""

from collections.abc import Sequence
from typing import get_args

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from tests.bench.figures import Figure
from tests.bench.parts import Parts
from tests.variety import Drafting, alike, most_used, offers_of

MEMBERS = 1000
QUICK = 200
MOST_PERCENT = 15.0


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Draft for everybody and count."""
    rulebook = load_rulebook(load_settings(_env_file=None))
    figures: list[Figure] = []
    for drafting in get_args(Drafting):
        offers = await offers_of(rulebook, drafting, members=QUICK if quick else MEMBERS)
        for field, aim in (("headline", MOST_PERCENT), ("body", None)):
            for domain, share in most_used(offers, field, filled=False).items():
                said = f"{share.percent:.1f} % of {share.of} ({share.different} different; {share.value})"
                figures.append(Figure(f"{drafting}, {domain}: most used {field}", said, share.percent, aim=aim))
        for what, pairs in alike(offers, opening=rulebook.blocks.by_id).items():
            aim = None if what == "opening" else 0.0
            said = f"{len(pairs)} of {len(offers)} offers"
            figures.append(Figure(f"{drafting}: offers of one member alike in {what}", said, len(pairs), aim=aim))
    return figures
