"""Token buckets that processes share: never more than the quota, nothing lost, nothing saved up."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.ledger.rows import rows
from tools.chat.quota import Lease, Quota
from tools.database import Database
from tools.errors import DatabaseUnavailable, ModelUnavailable
from tools.ledger.quotas import LEASE_S, WINDOW_S, Bucket, Quotas

FROZEN = "update llm_quota set available = %s, refilled_at = clock_timestamp() + interval '1 hour'"
"""Nothing comes back before that time."""
AVAILABLE = "select available from llm_quota where name = 'q'"


async def available(database: Database) -> float:
    """Return what the bucket held when it was last asked."""
    ((value,),) = await rows(database, AVAILABLE)
    return float(value)


@given(per_minute=st.integers(1, 10**8))
def test_no_minute_has_more_than_its_quota(per_minute: int) -> None:
    bucket = Bucket("q", per_minute)
    assert bucket.burst >= 1
    assert bucket.rate > 0
    assert int(bucket.burst + bucket.rate * (WINDOW_S + LEASE_S)) <= per_minute
    assert bucket.rate * WINDOW_S > 0.9 * per_minute - 1


async def test_two_processes_together_get_no_more_than_comes_back(database: Database, elsewhere: Database) -> None:
    bucket = Bucket("q", 300)
    started = time.monotonic()
    answers = await asyncio.gather(
        *(quotas.take(bucket, 1) for quotas in (Quotas(database), Quotas(elsewhere)) for _ in range(40))
    )
    most = bucket.burst + bucket.rate * (time.monotonic() - started)
    granted = answers.count(0)
    assert int(bucket.burst) <= granted <= most
    for wait in set(answers) - {0}:
        assert 0 < wait <= 1 / bucket.rate


async def test_what_is_not_there_is_not_taken_and_the_wait_is_told(database: Database) -> None:
    bucket = Bucket("q", 60)
    assert bucket.burst == 2
    assert await Quotas(database).take(bucket, 2) == 0
    wait = await Quotas(database).take(bucket, 2)
    left = await available(database)
    assert 0 <= left < 2
    assert wait == pytest.approx((2 - left) / bucket.rate)
    await rows(database, "update llm_quota set refilled_at = refilled_at - interval '1 hour'")
    assert await Quotas(database).take(bucket, 2) == 0
    assert await available(database) == 0


async def test_a_debt_is_paid_off_first(database: Database) -> None:
    bucket, quotas = Bucket("q", 60), Quotas(database)
    assert await quotas.take(bucket, 100, enough=1) == 0
    assert await available(database) == -98
    assert await quotas.take(bucket, 1, enough=1) > 90 / bucket.rate
    await quotas.give_back(bucket, 99)
    assert await quotas.take(bucket, 1) == 0


async def test_more_given_back_than_the_bucket_holds_is_forgotten(database: Database) -> None:
    bucket, quotas = Bucket("q", 60), Quotas(database)
    assert await quotas.take(bucket, 1) == 0
    await quotas.give_back(bucket, 1_000)
    assert await quotas.take(bucket, 1) == 0
    assert await available(database) == bucket.burst - 1


async def test_a_clock_that_was_set_back_gives_nothing_twice(database: Database) -> None:
    bucket, quotas = Bucket("q", 60), Quotas(database)
    assert await quotas.take(bucket, 2) == 0
    await rows(database, "update llm_quota set refilled_at = clock_timestamp() + interval '1 hour' returning name")
    before = await available(database)
    assert await quotas.take(bucket, 1) > 0
    assert await available(database) == before


async def test_a_lease_is_used_up_or_forgotten(database: Database) -> None:
    now = 0.0
    bucket = Bucket("q", 600)
    lease = Lease(bucket, Quotas(database), clock=lambda: now)
    for _ in range(10):
        await lease.use()
    assert await available(database) == 10
    await rows(database, FROZEN, 15)
    await lease.use()
    assert await available(database) == 5
    now = LEASE_S - 0.01
    await lease.use()
    assert await available(database) == 5
    await rows(database, FROZEN, 20)
    now = LEASE_S
    await lease.use()
    assert await available(database) == 10


async def test_processes_that_wait_get_what_comes_back(database: Database, elsewhere: Database) -> None:
    bucket = Bucket("q", 60)
    leases = [Lease(bucket, Quotas(each)) for each in (database, elsewhere)]
    started = time.monotonic()
    await asyncio.gather(*(lease.use() for lease in leases for _ in range(2)))
    assert bucket.burst + bucket.rate * (time.monotonic() - started) >= 4


async def test_an_endpoint_has_its_quotas_and_no_other_s(database: Database) -> None:
    first = Quota(Quotas(database), "one", requests=1, tokens=60)
    second = Quota(Quotas(database), "two", requests=1, tokens=None)
    assert await first.use(lambda: 500) == 500
    assert await second.use(lambda: pytest.fail("nobody needs to count")) == 0
    found = await rows(database, "select name, available from llm_quota order by name")
    assert [name for name, _ in found] == ["one requests", "one tokens", "two requests"]
    assert dict(found)["one tokens"] == -498
    await first.settle(500, 20)
    assert dict(await rows(database, "select name, available from llm_quota"))["one tokens"] == -18
    await first.settle(0, 7)
    await first.settle(7, 0)  # an endpoint that doesn't say what it used: the estimate stands
    assert dict(await rows(database, "select name, available from llm_quota"))["one tokens"] == -25


async def test_without_the_ledger_no_call_is_made() -> None:
    async def nowhere() -> str:
        raise DatabaseUnavailable("away")

    async def prepare(_: object) -> None:
        raise AssertionError("nothing to prepare")

    quota = Quota(Quotas(Database(nowhere, prepare=prepare)), "one", requests=10, tokens=None)
    with pytest.raises(ModelUnavailable, match="the ledger is away"):
        await quota.use(lambda: 1)
