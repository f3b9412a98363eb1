"""Partners get their share of a campaign: as candidates, and as what code or a model that takes the first chooses."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product
from typing import Any, get_args

import pytest

from tests.sampled import sampled_views
from tests.tools.offer_content import catalogue, menus
from tools.draft_replies import MERCHANTS
from tools.terms import Merchant
from tools.turns import permuted
from tools.views import DomainInterest, Engagement, MemberView, SpendTrend, TenureBand
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES, Domain

CAMPAIGNS = ("online", "spring", "summer", "autumn", "winter", "2", "3", "4")
FIRST = MERCHANTS[0]
"""Merchants of an offer whose model takes the first of the list: the least there may be."""
FALLBACK = MERCHANTS[0] + 1
CHI_SQUARE_999 = {8: 26.1, 11: 31.3, 12: 32.9, 14: 36.1, 17: 40.8}
"""Critical values at 0.001 by degrees of freedom: one less than the partners of a domain."""


@cache
def candidates(view: MemberView, campaign: str) -> tuple[Merchant, ...]:
    options = menus().menu_for(view.domain, view.card_type, view.strategy).options
    return catalogue().candidates(
        view.domain, campaign=campaign, view_digest=view.digest(), channels={option.channel for option in options}
    )


@cache
def listed(view: MemberView, campaign: str) -> list[Merchant]:
    cohort = f"{campaign.split()[0]}\0{view.digest()}"  # the candidates turn with the month, the order doesn't
    return permuted(candidates(view, campaign), cohort, key=lambda merchant: merchant.merchant_id)


def chosen(view: MemberView, campaign: str, count: int) -> list[Merchant]:
    """What the fallback and a model that takes the first of its list choose: `draft` and `fall_back` permute so."""
    return listed(view, campaign)[:count]


def all_views(domain: Domain) -> list[MemberView]:
    bands: Iterable[tuple[Any, ...]] = product(
        CARD_TYPES,
        STRATEGIES,
        get_args(SpendTrend),
        get_args(Engagement),
        get_args(DomainInterest),
        get_args(TenureBand),
    )
    names = ("card_type", "strategy", "spend_trend", "engagement", "domain_interest", "tenure_band")
    return [MemberView(domain=domain, **dict(zip(names, of, strict=True))) for of in bands]


def everywhere(domain: Domain) -> list[str]:
    return [p.id for p in catalogue().partners.values() if p.domain == domain and p.sells_in(None)]


def shares(domain: Domain, shown: Mapping[str, int]) -> list[float]:
    """Each partner's showings as a multiple of its fair share."""
    partners = everywhere(domain)
    assert set(shown) <= set(partners)
    fair = sum(shown.values()) / len(partners)
    return [shown.get(partner, 0) / fair for partner in partners]


def showings(views: Mapping[MemberView, int], campaigns: Iterable[str], count: int | None = None) -> Counter[str]:
    shown: Counter[str] = Counter()
    for (view, weight), campaign in product(views.items(), campaigns):
        merchants = candidates(view, campaign) if count is None else chosen(view, campaign, count)
        shown.update({merchant.merchant_id: weight for merchant in merchants})
    return shown


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_turn_of_the_ring_is_as_likely(domain: Domain) -> None:
    starts = Counter(candidates(view, campaign)[0].merchant_id for view in all_views(domain) for campaign in CAMPAIGNS)
    partners = everywhere(domain)
    fair = sum(starts.values()) / len(partners)
    assert sum((starts[partner] - fair) ** 2 / fair for partner in partners) < CHI_SQUARE_999[len(partners) - 1]


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("campaign", CAMPAIGNS[:4])
def test_over_all_views_of_one_campaign_no_partner_lacks_a_fair_share(domain: Domain, campaign: str) -> None:
    views = dict.fromkeys(all_views(domain), 1)
    assert len(views) == 486
    assert all(0.75 < share < 1.25 for share in shares(domain, showings(views, [campaign])))
    for count in (FIRST, FALLBACK):  # a third of the candidates, or half: three standard deviations are near 0.45
        assert all(0.5 < share < 1.5 for share in shares(domain, showings(views, [campaign], count)))


@pytest.mark.parametrize("domain", DOMAINS)
def test_over_campaigns_to_the_sample_population_partners_are_chosen_as_often(domain: Domain) -> None:
    """One campaign to so few members favours the partners of its commonest views; no partner is favoured for long."""
    views = {view: weight for view, weight in sampled_views().items() if view.domain == domain}
    assert sum(views.values()) > 100
    many = [f"campaign-{number}" for number in range(32)]
    assert all(0.85 < share < 1.15 for share in shares(domain, showings(views, many)))
    for count in (FIRST, FALLBACK):
        assert all(0.75 < share < 1.25 for share in shares(domain, showings(views, many, count)))


@pytest.mark.parametrize("domain", DOMAINS)
def test_over_a_year_of_the_campaign_that_never_ends_no_partner_is_favoured(domain: Domain) -> None:
    views = {view: weight for view, weight in sampled_views().items() if view.domain == domain}
    year = [f"online 2026-{month:02}" for month in range(1, 13)]
    assert all(0.75 < share < 1.25 for share in shares(domain, showings(views, year)))
    assert all(0.5 < share < 1.6 for share in shares(domain, showings(views, year, FALLBACK)))


@pytest.mark.parametrize("domain", DOMAINS)
def test_in_one_campaign_to_the_sample_population_every_partner_is_shown(domain: Domain) -> None:
    views = {view: weight for view, weight in sampled_views().items() if view.domain == domain}
    for campaign in CAMPAIGNS:
        assert all(0.4 < share < 1.7 for share in shares(domain, showings(views, [campaign])))
        assert all(0 < share < 3 for share in shares(domain, showings(views, [campaign], FALLBACK)))


def test_an_offer_names_two_to_four_of_its_candidates() -> None:
    for domain in DOMAINS:
        for view in all_views(domain)[::7]:
            for count in (FIRST, FALLBACK):
                ids = [merchant.merchant_id for merchant in chosen(view, "online", count)]
                assert 2 <= len(set(ids)) == len(ids) <= 4
