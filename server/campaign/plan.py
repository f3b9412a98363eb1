"""Planning a campaign: who is held back and why, who shares a draft, what it comes to; before any model is asked.

A bucket of members at a time, so that memory doesn't grow with the campaign; one transaction, so that Ctrl-C leaves the
campaign as it was. Planning again gives the same plan for the same members, rules and ledger.
"""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import polars as pl
from psycopg import AsyncConnection

from graph.cohort import changed, versions_of
from graph.deps import Deps
from graph.ground import ground_of
from server.campaign.cohorts import VIEW, Cohorts, Draws
from server.campaign.estimate import SAMPLE, estimate
from server.campaign.figures import SUSPECT_P, Plan, sample_ratio_p
from server.campaign.spec import Spec
from server.campaign.steering import CampaignRefused, refusal
from server.campaign.waves import in_waves
from tools.errors import PoliciesUnavailable
from tools.ledger import planning
from tools.ledger.campaigns import Campaign, CampaignState, find_id, move
from tools.ledger.driver import hold_for_transaction
from tools.ledger.usage_frame import usage_frame
from tools.ledger.versions import read_epoch
from tools.member_frame import member_frame
from tools.population import Ground, with_signals
from tools.population.signals import READ

BUCKET: Final = 100_000
"""Items in memory at a time, about."""
MAY_PLAN: Final[tuple[CampaignState, ...]] = ("created", "planned", "paused")
NOT_TO_PLAN: Final[dict[CampaignState, str]] = {
    "open": "it is no campaign of a file",
    "running": "`offers campaign pause {name}` comes first",
    "done": "everything in it is decided",
    "cancelled": "create another one for the rest of the file",
}
SCREENED: Final = (*READ, "opt_in_marketing", "offers_sent_this_month", "days_since_last_offer", "last_offer_domain")
"""Columns of the export that screening and views rest on."""
RECENT: Final = timedelta(days=30)
"""How old recorded calls may be that answers' length and time are taken from."""


async def plan(
    campaign: Campaign,
    deps: Deps,
    *,
    progress: Callable[[int, int], None] = lambda done, of: None,
    bucket: int = BUCKET,
) -> Plan:
    """Plan a campaign and return what it comes to; `progress` hears how many items of how many are screened.

    Items that are decided stay as they are. Raises CampaignRefused in a state that can't be planned and while a driver
    runs, PoliciesUnavailable when other policies are in force than this process loaded, SettingInvalid for a cardmember
    table that can't be read, DatabaseUnavailable.
    """
    of = campaign.campaign_id
    async with deps.database.connection() as connection:
        now = await _claimed(connection, campaign, deps)
        spec = Spec.model_validate(now.spec)
        is_same = bool(now.versions) and not changed(now.versions, deps)
        await planning.begin(connection, of, same_rules=is_same)
        planner = _Planner(connection, of, spec, deps)
        items = await planning.count_items(connection, of)
        buckets, done = max(1, -(-items // bucket)), 0
        progress(0, items)
        for number in range(buckets):
            done += await planner.bucket(number, buckets)
            progress(done, items)
        await planning.settle(connection, of)
        found = await _come_to(connection, now, spec, deps)
        await planning.save(connection, of, found.model_dump(mode="json"), versions_of(deps))
    async with deps.database.statement() as connection:
        await planning.tidy(connection, of)
    return found


async def _claimed(connection: AsyncConnection, campaign: Campaign, deps: Deps) -> Campaign:
    """Make sure that nobody runs or plans the campaign meanwhile, and return it as it is now."""
    of = campaign.campaign_id
    if not await hold_for_transaction(connection, of):
        words = "it is being run or planned at this moment; `offers campaign status {name}` shows how far it is"
        raise CampaignRefused(refusal(campaign, "planned", words))
    now = await find_id(connection, of)
    if now is None or not await move(connection, of, "planned", only_from=MAY_PLAN, note=""):
        state = campaign.state if now is None else now.state
        raise CampaignRefused(refusal(now or campaign, "planned", NOT_TO_PLAN.get(state, "it is gone")))
    if await read_epoch(connection) != deps.rulebook.epoch:
        raise PoliciesUnavailable("the policies in force changed since this process loaded them; plan again")
    return now


class _Planner:
    """Plans the members of one bucket after the other."""

    def __init__(self, connection: AsyncConnection, campaign_id: int, spec: Spec, deps: Deps) -> None:
        self._connection, self._id, self._spec, self._deps = connection, campaign_id, spec, deps
        split = spec.variants or deps.settings.prompt_split
        self._draws = Draws(spec.name, holdout=spec.holdout, split=split)
        self._cohorts = Cohorts(split, individual=spec.personalisation == "individual")
        flight = f"{spec.name} {spec.send_date:%Y-%m}"
        self._ground = ground_of(deps, spec.send_date, flight=flight)
        self._today = deps.today()

    async def bucket(self, number: int, buckets: int) -> int:
        """Plan a bucket, and return how many items it has."""
        items = await planning.next_bucket(self._connection, self._id, number, buckets)
        if items.is_empty():
            return 0
        table = self._deps.settings.cardmember_table
        ids = items["user_id"].unique().to_list()
        members = await member_frame(self._connection, ids, SCREENED, table=table)
        usage = await usage_frame(
            self._connection,
            asked=planning.ASKED,
            campaign_id=self._id,
            table=table,
            zone=self._deps.zone,
            today=self._today,
        )
        decided, cohorts = await asyncio.to_thread(self._decided, items, members, usage)
        await planning.add(self._connection, decided, cohorts)
        return len(items)

    def _decided(
        self, items: pl.DataFrame, members: pl.DataFrame, usage: pl.DataFrame
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        drawn = items.join(self._draws.of(items["user_id"]), on="user_id", how="left", maintain_order="left")
        rows = screened_items(drawn, members, usage, self._ground)
        is_open = pl.col("status") == "pending"
        open_items, cohorts = self._cohorts.of(rows.filter(is_open).sort("prediction_key"))
        skipped = rows.filter(~is_open).with_columns(cohort=pl.lit(None, pl.Int64))
        columns = list(planning.PLANNED)
        return pl.concat([skipped.select(columns), open_items.select(columns)]), cohorts


def screened_items(items: pl.DataFrame, members: pl.DataFrame, usage: pl.DataFrame, ground: Ground) -> pl.DataFrame:
    """Return the items with `status`, `recommendation`, `detail`, `wave`, and the view of those that stay open.

    `items` hold what `planning.next_bucket` returns and `in_holdout`. Who is unknown or not to be offered anything
    isn't screened, as a single request isn't.
    """
    known = items.join(members.with_columns(found=pl.lit(True)), on="user_id", how="left", maintain_order="left")
    is_found = pl.col("found").fill_null(False)
    is_wanted = is_found & (pl.col("offer_flag") == 1)
    unscreened = known.filter(~is_wanted).with_columns(
        status=pl.lit("skipped"),
        recommendation=pl.when(is_found).then(pl.lit("no_offer_needed")).otherwise(pl.lit("user_not_found")),
        detail=pl.lit(None, pl.String),
        wave=pl.lit(None, pl.Int16),
    )
    wanted = known.filter(is_wanted).join(usage, on="prediction_key", how="left", maintain_order="left")
    rows = in_waves(with_signals(wanted, ground.today), ground)
    is_held = pl.col("reason").is_not_null()
    screened = rows.with_columns(
        status=pl.when(is_held).then(pl.lit("skipped")).otherwise(pl.lit("pending")),
        recommendation=pl.when(is_held).then(pl.lit("suppressed_") + pl.col("reason")),
    )
    return pl.concat([screened.select(*unscreened.columns, *_OF_VIEW), unscreened], how="diagonal")


_OF_VIEW: Final = tuple(column for column in VIEW.values() if column != "domain")


async def _come_to(connection: AsyncConnection, campaign: Campaign, spec: Spec, deps: Deps) -> Plan:
    of = campaign.campaign_id
    told = await planning.told(connection, of)
    budget, used = await planning.money(connection, of)
    views = await planning.open_views(connection, of, SAMPLE)
    measured = await planning.measured(connection, deps.model.name, deps.today() - RECENT)
    found = await estimate(views, deps, count=told.open_cohorts, open_items=told.open, measured=measured)
    least, mean, most = _offers_usd(told.by_menu, deps)
    prices = deps.settings.prices
    steps = [(step, step.tokens_in, step.tokens_out) for step in found.steps]
    counts = asdict(told)
    result = Plan(
        campaign=spec.name,
        input_rows=campaign.input_rows,
        **{name: counts[name] for name in _COUNTS},
        cohorts_open=told.open_cohorts,
        holdout_percent=spec.holdout,
        holdout_p=sample_ratio_p(told.holdout_members, told.members, percent=spec.holdout),
        steps=found.steps,
        offers_usd_least=least,
        offers_usd=mean,
        offers_usd_most=most,
        model_usd=None
        if prices is None
        else sum(prices.usd(input_tokens=s.calls * a, output_tokens=s.calls * b) for s, a, b in steps),
        model_usd_at_most=None
        if prices is None
        else sum(prices.usd(input_tokens=s.calls_at_most * a, output_tokens=s.calls_at_most * b) for s, a, b in steps),
        budget_usd=budget,
        used_usd=used,
        drafting_s=found.drafting_s,
        fan_out_s=found.fan_out_s,
        assumptions=(*found.assumptions, *_OFFERS_TOLD),
    )
    return result.model_copy(update={"warnings": tuple(_warnings(result))})


_COUNTS: Final = (
    "rejected", "items", "members", "decided", "open", "skipped_by", "waves", "holdout_members", "cohorts", "chunks",
)  # fmt: skip
_OFFERS_TOLD: Final = (
    "an offer costs the mean of its menu's options; the range is that of the cheapest and the dearest for everybody",
)


def _offers_usd(by_menu: list[tuple[str, str, str, int]], deps: Deps) -> tuple[float, float, float]:
    least = mean = most = 0.0
    menus: Any = deps.rulebook.menus  # the ledger's text names what the menus' Literal types name
    for domain, card_type, strategy, items in by_menu:
        costs = [float(o.expected_cost_usd) for o in menus.menu_for(domain, card_type, strategy).options]
        least += items * min(costs)
        mean += items * sum(costs) / len(costs)
        most += items * max(costs)
    return least, mean, most


def _warnings(found: Plan) -> list[str]:
    told = []
    if found.holdout_p is not None and found.holdout_p < SUSPECT_P:
        told.append(
            f"the holdout has {found.holdout_members:,} of {found.members:,} members, and {found.holdout_percent:g} %"
            f" were asked for (p = {found.holdout_p:.2g}): compare no results before it is clear why"
        )
    if found.missing_usd:
        left = max((found.budget_usd or 0) - found.used_usd, 0)
        told.append(
            f"offers and model calls are expected to cost {found.offers_usd + (found.model_usd or 0):,.2f} USD,"
            f" {found.missing_usd:,.2f} more than the {left:,.2f} left of the budget: offers worth most per dollar are"
            " made, and whoever can't be paid is held back as budget_exhausted"
        )
    if found.open == 0:
        told.append("nobody is left to be offered anything; the reasons stand above")
    return told
