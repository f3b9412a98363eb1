from collections import Counter
from decimal import Decimal
from math import sqrt

import pytest
from scipy.stats import t

from server.campaign.report.figures import CampaignFigures, Group
from server.campaign.report.reading import figures_of
from tests.server.campaign.report.known import NAME, ROWS, age, cost, gender, member, plant, rule
from tools.database import Database
from tools.errors import InputInvalid
from tools.prices import Prices

PRICES = Prices(input_usd=2.0, output_usd=10.0, cached_usd=0.5)
DONE = [n for n in ROWS if rule(n).status == "done"]


@pytest.fixture
async def figures(database: Database) -> CampaignFigures:
    await plant(database)
    return await figures_of(database, NAME, table="cardmember", prices=PRICES)


def wilson(count: int, of: int) -> tuple[float, float]:
    """The score interval as Wilson (1927) wrote it."""
    z, p = 1.959963984540054, count / of
    middle, half = p + z * z / (2 * of), z * sqrt(p * (1 - p) / of + z * z / (4 * of * of))
    return (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)


async def test_the_funnel_accounts_for_every_row_once(figures: CampaignFigures) -> None:
    funnel = figures.funnel
    assert (funnel.input_rows, funnel.rejected, funnel.items) == (406, 5, 401)
    assert (funnel.not_needed, funnel.unknown, funnel.known, funnel.members) == (10, 5, 386, 385)
    assert list(funnel.held.items()) == [("marketing_opt_out", 1), ("low_confidence", 83), ("holdout", 20)]
    assert (funnel.passed, funnel.offers, funnel.dead, funnel.open, funnel.cancelled) == (
        282, 272, {"compliance": 7}, 3, 0,
    )  # fmt: skip
    assert funnel.offers == len(DONE)
    assert funnel.cohorts == 5
    assert (figures.state, figures.finished, figures.input_sha) == ("done", True, "f00d")


async def test_money_is_told_by_domain_and_budget_with_the_models_price(figures: CampaignFigures) -> None:
    money, total = figures.money, Decimal(str(sum(map(cost, DONE))))
    assert money.offers_usd == total
    assert [(d.domain, d.offers, d.cost_usd, d.limit_usd) for d in money.domains] == [
        ("Travel", 271, total - 1, 950),
        ("Dining", 1, 1, None),
    ]
    assert [(b.scope, b.name, b.limit_usd, b.used_usd) for b in money.budgets] == [
        ("campaign", "", 1000, 760),
        ("day", "2026-12-01", 900, 760),
        ("domain", "Travel", 950, 759),
        ("member", "", 20, None),
    ]
    assert (money.input_tokens, money.cached_tokens, money.output_tokens, money.untold) == (12500, 3000, 1500, 1)
    # 9,500 new tokens at 2 dollars, 3,000 cached at 0.50, 1,500 out at 10, each per million
    assert money.model_usd == Decimal("0.0355")


async def test_without_prices_the_model_is_told_in_tokens_alone(database: Database) -> None:
    await plant(database)
    money = (await figures_of(database, NAME, table="cardmember")).money
    assert (money.model_usd, money.input_tokens) == (None, 12500)


async def test_the_mix_counts_offers_by_kind(figures: CampaignFigures) -> None:
    mix = figures.mix
    early = [n for n in DONE if n <= 200]
    late = [n for n in DONE if 200 < n < 401]
    assert [(s.name, s.offers, s.cost_usd) for s in mix.offer_types] == [
        ("points_multiplier", len(late), 4 * len(late)),
        ("statement_credit", len(early), Decimal(str(sum(map(cost, early))))),
        ("cashback", 1, 1),
    ]
    options = Counter("dining-3" if n == 401 else f"travel-{cost(n):g}" for n in DONE)
    assert {s.name: s.offers for s in mix.options} == options
    assert [(s.name, s.offers) for s in mix.sources] == [("model", 271), ("fallback", 1)]
    assert {s.name: s.offers for s in mix.merchants} == {
        "Aurora Air": 271, "Harbor Hotels": len(early), "Blue Bistro": len(late) + 1,
    }  # fmt: skip
    assert mix.held == 0


async def test_first_passes_redrafts_fallbacks_and_clauses_are_read_from_histories(figures: CampaignFigures) -> None:
    drafts = figures.drafts
    assert (drafts.drafted, drafts.first_pass.count, drafts.first_pass.of) == (4, 1, 4)
    assert (drafts.first_pass.low, drafts.first_pass.high) == pytest.approx(wilson(1, 4))
    assert (drafts.redrafts, drafts.fallbacks, drafts.dead) == (2, 2, 1)
    assert [(c.clause, c.drafts, c.cohorts) for c in drafts.clauses] == [
        ("UDAAP-10/numbers", 3, 2),
        ("UDAAP-10/tone", 2, 2),  # not that of no draft at all
        ("UDAAP-10/fee", 1, 1),  # reads the member, yet the terms break it
    ]


async def test_reuse_is_told_by_size_of_cohort(figures: CampaignFigures) -> None:
    reuse = figures.reuse
    sizes = Counter(rule(n).cohort for n in ROWS if rule(n).cohort)
    assert sizes == {1: 88, 2: 186, 3: 1, 4: 7}
    assert [(s.least, s.most, s.cohorts, s.items) for s in reuse.sizes] == [
        (1, 1, 1, 1), (2, 9, 1, 7), (10, 99, 1, 88), (100, 999, 1, 186),
    ]  # fmt: skip
    assert (reuse.cohorts, reuse.drafted, reuse.largest, reuse.median) == (4, 3, 186, 88)
    assert reuse.mean == pytest.approx(275 / 3)
    assert (reuse.one_by_one, reuse.saved, reuse.tries) == (275, 272, 13)
    assert reuse.calls_per_offer == pytest.approx(13 / 272)


async def test_use_of_the_model_is_told_by_step_minute_and_latency(figures: CampaignFigures) -> None:
    use = figures.use
    assert [(r.step, r.outcome, r.tries, r.input_tokens) for r in use.rows] == [
        ("draft", "answered", 6, 9000), ("draft", "throttled", 2, 0), ("draft", "failed", 1, 500),
        ("draft", "sent", 1, 0), ("judge", "answered", 3, 3000),
    ]  # fmt: skip
    assert use.bin_minutes == 1
    assert [(f"{m.start:%H:%M}", m.tries, m.tokens) for m in use.minutes] == [
        ("12:00", {"answered": 6, "throttled": 2}, 10200),
        ("12:01", {"answered": 0}, 0),
        ("12:02", {"answered": 3, "failed": 1, "sent": 1}, 3800),
    ]
    assert [(x.step, x.calls, x.median_s) for x in use.latencies] == [("draft", 3, 2.0), ("judge", 1, 0.5)]
    assert use.latencies[0].p95_s == pytest.approx(3.8)


def expected_group(members: list[int]) -> tuple[int, int, int, list[float]]:
    """Members, held back, with offers, and what each one's offers are worth on average; worked out row by row."""
    held = offered = 0
    values = []
    for m in members:
        rows = [n for n in ROWS if member(n) == m]
        statuses = {rule(n).status for n in rows}
        held += statuses == {"skipped"}
        if "done" in statuses:
            offered += 1
            costs = [cost(n) for n in rows if rule(n).status == "done"]
            values.append(sum(costs) / len(costs))
    return len(members), held, offered, values


async def test_parity_counts_members_beside_the_decisions(figures: CampaignFigures) -> None:
    parity = figures.parity
    looked_at = [
        m for m in range(16, 401)
        if m % 20 and rule(m).status != "pending" and rule(m).recommendation != "no_offer_needed"
    ]  # fmt: skip
    assert (parity.missing, parity.members) == (None, len(looked_at))
    groups: dict[str, Group] = {group.name: group for attribute in parity.attributes for group in attribute.groups}
    assert [(a.name, a.proxy, a.small, [g.name for g in a.groups]) for a in parity.attributes] == [
        ("Age", False, 0, ["25 to 39", "62 and over"]),
        ("Gender", False, 1, ["F", "M"]),
        ("State of residence", True, 0, ["IL", "TX"]),
    ]
    wanted = {
        "F": [m for m in looked_at if gender(m) == "F"],
        "M": [m for m in looked_at if gender(m) == "M"],
        "25 to 39": [m for m in looked_at if age(m) == 30],
        "62 and over": [m for m in looked_at if age(m) == 70],
    }
    for name, members in wanted.items():
        group, (size, held, offered, values) = groups[name], expected_group(members)
        assert (group.members, group.held.count, group.offered.count) == (size, held, offered), name
        assert (group.held.low, group.held.high) == pytest.approx(wilson(held, size))
        mean = sum(values) / offered
        spread = sqrt(sum((value - mean) ** 2 for value in values) / (offered - 1))
        half = t.ppf(0.975, offered - 1) * spread / sqrt(offered)
        assert group.value_usd == pytest.approx(mean)
        assert (group.value_low, group.value_high) == pytest.approx((mean - half, mean + half))
    rates = {name: groups[name].offered.share or 0 for name in ("F", "M")}
    assert groups["F"].ratio == pytest.approx(rates["F"] / rates["M"])
    assert (groups["F"].adverse, groups["M"].adverse, groups["M"].ratio) == (True, False, 1.0)


async def test_parity_is_silent_without_protected_columns(database: Database) -> None:
    await plant(database)
    async with database.connection() as connection:
        await connection.execute("create table elsewhere (user_id text primary key)")
    parity = (await figures_of(database, NAME, table="elsewhere")).parity
    assert parity.attributes == ()
    assert parity.missing == "the table elsewhere has no age, gender and location that can be read (UndefinedColumn)"


async def test_arms_are_held_against_their_shares(figures: CampaignFigures) -> None:
    holdout, (draft,) = figures.holdout, figures.variants
    assert holdout is not None
    assert [(a.name, a.share, a.members, a.expected) for a in holdout.arms] == [
        ("held out", 0.05, 20, pytest.approx(20)),
        ("addressed", 0.95, 380, pytest.approx(380)),
    ]
    assert (holdout.p_value, holdout.fault) == (pytest.approx(1), False)
    base = {member(n) for n in ROWS if rule(n).cohort in (1, 3)}
    b = {member(n) for n in ROWS if rule(n).cohort in (2, 4)}
    assert [(a.name, a.share, a.members) for a in draft.arms] == [("base", 0.5, len(base)), ("b", 0.5, len(b))]
    half = (len(base) + len(b)) / 2
    assert draft.chi_square == pytest.approx(2 * (len(b) - half) ** 2 / half)
    assert draft.fault
    assert [(a.first_pass.count, a.first_pass.of) for a in draft.arms if a.first_pass] == [(1, 2), (0, 2)]


async def test_a_holdout_of_the_wrong_size_is_an_allocation_fault(database: Database) -> None:
    campaign_id = await plant(database)
    async with database.connection() as connection:
        await connection.execute(
            "update offer_item set in_holdout = true where campaign_id = %s and row_no %% 10 = 5", (campaign_id,)
        )
    holdout = (await figures_of(database, NAME, table="cardmember")).holdout
    assert holdout is not None and holdout.fault
    assert holdout.chi_square == pytest.approx(40**2 / 20 + 40**2 / 380)


async def test_an_unknown_campaign_is_named(database: Database) -> None:
    with pytest.raises(InputInvalid, match="campaign is 'nobody': there is none of that name"):
        await figures_of(database, "nobody", table="cardmember")


async def test_a_campaign_that_has_only_begun_has_figures_too(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into campaign (name, state) values ('fresh', 'created')")
    figures = await figures_of(database, "fresh", table="cardmember")
    assert (figures.finished, figures.funnel.items, figures.reuse.calls_per_offer) == (False, 0, None)
    assert figures.drafts.first_pass.share is None
    assert figures.parity.missing == "nothing was decided yet of members that are in the table"
    assert CampaignFigures.model_validate_json(figures.model_dump_json()) == figures
