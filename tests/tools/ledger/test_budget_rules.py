"""Whatever is done in turn, the ledger grants what the rules of budgets say: compared with a book of few lines."""

import secrets
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.ledger.rows import (
    CLAIM,
    DAY,
    DINING,
    MEMBER,
    TOTAL,
    TRAVEL,
    anything,
    ask,
    kept,
    outcome,
    reserve,
    rows,
)  # fmt: skip
from tools.database import Database
from tools.ledger.budgets import BudgetKey, Budgets
from tools.ledger.claims import Claims, Taken
from tools.ledger.money import Lost, Money
from tools.ledger.records import Records


@dataclass
class Book:
    """What a reader of the rules expects of one campaign: an amount per prediction, and limits."""

    limits: dict[BudgetKey, Decimal] = field(default_factory=dict)
    amounts: dict[int, Decimal] = field(default_factory=dict)
    lapsed: set[int] = field(default_factory=set)
    settled: set[int] = field(default_factory=set)

    def keys(self, prediction: int) -> set[BudgetKey]:
        return {TOTAL, DAY, MEMBER, BudgetKey("domain", DOMAIN_OF[prediction % 2])} & self.limits.keys()

    def others(self, key: BudgetKey, prediction: int) -> Decimal:
        """What other predictions hold of a budget of this one."""
        same = {TOTAL: lambda _: True, DAY: lambda _: True, MEMBER: lambda other: other // 2 == prediction // 2}
        counted = same.get(key, lambda other: other % 2 == prediction % 2)
        return sum((usd for other, usd in self.amounts.items() if other != prediction and counted(other)), Decimal(0))

    def fits(self, prediction: int, usd: Decimal) -> bool:
        held = None if prediction in self.lapsed else self.amounts.get(prediction)
        return (held is not None and usd <= held) or all(
            self.others(key, prediction) + usd <= self.limits[key] for key in self.keys(prediction)
        )

    def release(self) -> None:
        for prediction in self.lapsed:
            del self.amounts[prediction]
        self.lapsed.clear()

    def reserve(self, prediction: int, usd: Decimal) -> bool:
        if not self.fits(prediction, usd):
            self.release()
            if not self.fits(prediction, usd):
                return False
        if self.keys(prediction):
            self.amounts[prediction] = usd
            self.lapsed.discard(prediction)
        return True

    def finish(self, prediction: int, usd: Decimal | None) -> bool:
        if usd is None:
            self.amounts.pop(prediction, None)
        elif not self.fits(prediction, usd):
            return False
        else:
            self.amounts[prediction] = usd
            self.settled.add(prediction)
        self.lapsed.discard(prediction)
        return True


DOMAIN_OF = ("Travel", "Dining")
USD = st.integers(0, 800).map(lambda cents: Decimal(cents) / 100)
PREDICTION = st.integers(0, 5)
ACTS = st.one_of(
    st.tuples(st.just("reserve"), PREDICTION, USD),
    st.tuples(st.just("reserve"), PREDICTION, USD),
    st.tuples(st.just("finish"), PREDICTION, st.none() | USD),
    st.tuples(st.just("lapse"), PREDICTION, st.none()),
    st.tuples(
        st.just("set"), st.sampled_from([TOTAL, TRAVEL, DINING, DAY, MEMBER]), st.none() | USD.map(lambda u: 2 * u)
    ),
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(limits=st.dictionaries(st.sampled_from([TOTAL, TRAVEL, DAY, MEMBER]), USD), acts=st.lists(ACTS, max_size=20))
async def test_whatever_happens_in_turn_the_ledger_grants_what_the_rules_say(
    claims: Claims, money: Money, records: Records, budgets: Budgets, database: Database,
    limits: dict[BudgetKey, Decimal], acts: list[tuple[str, Any, Any]],
) -> None:  # fmt: skip
    name = secrets.token_hex(6)
    campaign = (await rows(database, "insert into campaign (name) values (%s) returning campaign_id", name))[0][0]
    await budgets.change(name, limits)
    book = Book(limits=dict(limits))
    made = [
        replace(
            CLAIM, campaign_id=campaign, prediction_key=f"{n}", run_id=f"{name} {n}", user_id=f"USER_{n // 2}",
            domain=DOMAIN_OF[n % 2],
        )
        for n in range(6)
    ]  # fmt: skip
    ended: set[int] = set()
    for claim in made:
        assert isinstance(await claims.claim(claim, anything), Taken)
    for act, which, usd in acts:
        if act == "set":
            await budgets.change(name, {} if usd is None else {which: usd}, clear={which} if usd is None else set())
            book.limits = {key: limit for key, limit in book.limits.items() if key != which}
            book.limits |= {} if usd is None else {which: usd}
        elif which in ended:
            assert await ask(money, made[which], 0) == Lost()
        elif act == "reserve":
            assert await reserve(money, made[which], usd) == book.reserve(which, usd)
        elif act == "lapse" and which in book.amounts:
            await rows(database, "update reservation set expires_at = now() where run_id = %s", made[which].run_id)
            book.lapsed.add(which)
        elif act == "finish":
            assert await records.finish(outcome(made[which], cost=usd)) == book.finish(which, usd)
            ended |= {which} if usd is None or which in book.settled else set()
        found = await rows(
            database,
            "select prediction_key, amount_usd from reservation where campaign_id = %s and state <> 'released'",
            campaign,
        )  # fmt: skip
        assert {int(key): usd for key, usd in found} == book.amounts
    shown = await budgets.show(name)
    assert {BudgetKey(b.scope, b.name if b.scope == "domain" else "") for b in shown} == book.limits.keys() | {TOTAL}
    assert await kept(database)
