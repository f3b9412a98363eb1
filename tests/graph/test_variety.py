"""What a population of 1,000 members would read: no headline too often, no two offers of a member alike."""

import pytest

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from tests.variety import Drafting, alike, most_used, offers_of

MOST_PERCENT = 15


@pytest.mark.parametrize("drafting", ["select", "fallback"])
async def test_no_headline_is_in_more_than_15_percent_of_a_domain_and_no_two_offers_of_a_member_are_alike(
    drafting: Drafting,
) -> None:
    rulebook = load_rulebook(load_settings(_env_file=None))
    offers = await offers_of(rulebook, drafting, members=1000)
    assert len(offers) > 2500
    for filled in (False, True):
        for domain, share in most_used(offers, "headline", filled=filled).items():
            assert share.percent <= MOST_PERCENT, (domain, share)
    pairs = alike(offers, opening=rulebook.blocks.by_id)
    assert not pairs["headline"]
    assert not pairs["body"]
