"""Claims, outcomes and rows for the ledger's tests."""

from datetime import date
from decimal import Decimal
from typing import Any

from tools.database import Database
from tools.ledger.budgets import BudgetKey
from tools.ledger.claims import ONLINE, Claim
from tools.ledger.money import Answer, Granted, Money
from tools.ledger.records import Finish, IssuedRow
from tools.screening import Hold, Usage

TOTAL, TRAVEL, DINING = BudgetKey("campaign"), BudgetKey("domain", "Travel"), BudgetKey("domain", "Dining")
DAY, MEMBER = BudgetKey("day"), BudgetKey("member")
CLAIM = Claim(
    campaign_id=ONLINE, prediction_key="key", user_id="USER_1", domain="Travel", run_id="run", lease_s=60
)  # fmt: skip


def outcome(claim: Claim, *, cost: Decimal | None = None, **changes: Any) -> Finish:
    """Return the outcome of a claimed prediction: an offer of that expected cost in USD, or none."""
    issued = None if cost is None else issued_row(claim.domain, cost)
    fields: dict[str, Any] = {
        "campaign_id": claim.campaign_id,
        "prediction_key": claim.prediction_key,
        "user_id": claim.user_id,
        "run_id": claim.run_id,
        "recommendation": "no_offer_needed" if issued is None else "offer_generated",
        "close": "done",
        "record": {"run": claim.run_id},
        "issued": issued,
    }
    return Finish(**fields | changes)


def issued_row(domain: str, cost: Decimal) -> IssuedRow:
    """Return the row of a multiplier offer."""
    return IssuedRow(
        domain=domain,
        offer_type="points_multiplier",
        option_id="o1",
        high_value=False,
        credit_usd=Decimal(0),
        expected_cost_usd=cost,
        start_date=date(2026, 11, 1),
        end_date=date(2026, 12, 1),
        html_sha256="0" * 64,
    )


def anything(_: Usage) -> tuple[Hold, ...]:
    """Hold nobody back."""
    return ()


async def ask(money: Money, claim: Claim, usd: Decimal | int | str, *, lease_s: float = 60) -> Answer:
    """Ask to reserve an amount for a claimed prediction."""
    return await money.reserve(
        campaign_id=claim.campaign_id,
        prediction_key=claim.prediction_key,
        run_id=claim.run_id,
        amount_usd=Decimal(usd),
        lease_s=lease_s,
    )


async def reserve(money: Money, claim: Claim, usd: Decimal | int | str, *, lease_s: float = 60) -> bool:
    """Reserve an amount for a claimed prediction; return whether it was granted."""
    return isinstance(await ask(money, claim, usd, lease_s=lease_s), Granted)


async def end_lease(database: Database, run_id: str) -> None:
    """Let the time of a run's claim and reservation be over, as if it had died long ago."""
    await rows(
        database,
        "with ended as (update offer_item set lease_until = now() where owner = %(run)s)"
        " update reservation set expires_at = now() where run_id = %(run)s",
        run=run_id,
    )


async def in_use(database: Database, scope: str = "campaign") -> dict[str, Decimal]:
    """Return what the ledger counts as used of the budgets of a scope, by name."""
    return dict(await rows(database, "select name, used_usd from budget_use where scope = %s order by name", scope))


async def kept(database: Database) -> bool:
    """Return whether what the ledger counts as in use is what its reservations add up to."""
    found = await rows(
        database,
        "select u.scope, u.name, u.used_usd, coalesce(sum(r.amount_usd), 0) from budget_use u left join reservation r"
        " on r.state <> 'released' and case u.scope when 'campaign' then true when 'day' then r.day = u.name"
        " else r.domain = u.name end and r.campaign_id = u.campaign_id group by u.campaign_id, 1, 2, 3",
    )
    return all(used == summed for _, _, used, summed in found)


async def rows(database: Database, query: str, *values: object, **named: object) -> list[tuple[Any, ...]]:
    """Return what a statement returns, if anything."""
    async with database.connection() as connection:
        cursor = await connection.execute(query.encode(), named or values)
        return await cursor.fetchall() if cursor.description else []
