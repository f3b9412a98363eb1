"""A process that spends: many runs at once claim, reserve, and settle or die, until it is stopped or killed.

    python -m tests.tools.ledger.spender DATABASE_URL NAME

Each run prints a letter as it ends, so that whoever watches can wait for what happens instead of for time.
"""

import asyncio
import random
import sys
from dataclasses import replace
from decimal import Decimal
from itertools import count

from tests.tools.ledger.conftest import ZONE, process
from tests.tools.ledger.rows import CLAIM, anything, outcome, reserve
from tools.database import Database
from tools.ledger.claims import Claims, Taken
from tools.ledger.money import Money
from tools.ledger.records import Records

AT_ONCE = 13
DOMAINS = ("Travel", "Dining")
MEMBERS = 40


async def spend(database: Database, name: str) -> None:
    """Run without end; every run is of a prediction of its own, for one of few members."""
    claims = Claims(database, table="cardmember", zone=ZONE)
    money, records = Money(database, zone=ZONE), Records(database, zone=ZONE)
    chance, numbers = random.Random(name), count()

    async def runs() -> None:
        for number in numbers:
            key = f"{name} {number}"
            claim = replace(
                CLAIM, prediction_key=key, run_id=key, user_id=f"USER_{chance.randrange(MEMBERS)}",
                domain=chance.choice(DOMAINS), lease_s=3600,
            )  # fmt: skip
            while not isinstance(await claims.claim(claim, anything), Taken):
                pass
            asked = [Decimal(chance.randint(1, 900)) / 100 for _ in range(chance.randint(1, 3))]
            granted = [usd for usd in asked if await reserve(money, claim, usd, lease_s=3600)]
            end = chance.choice(["offer", "offer", "none", "unpaid", "dead"])
            if end == "dead":
                print("d", end="", flush=True)  # its claim and what it reserved stay until their leases end
                continue
            cost = {"offer": granted[-1] if granted else None, "unpaid": asked[0]}.get(end)
            issued = await records.finish(outcome(claim, cost=cost))
            print("o" if issued and cost is not None else "x", end="", flush=True)

    await asyncio.gather(*(runs() for _ in range(AT_ONCE)))


async def main(url: str, name: str) -> None:
    """Spend from this process's own connections."""
    async with process(url, pool_size=AT_ONCE) as database:
        await spend(database, name)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
