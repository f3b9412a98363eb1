"""The count of tries in the ledger: nothing lost, nothing twice, few statements, no deadlock, no call held up by it."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection

from tests.tools.ledger.conftest import prepare
from tests.tools.ledger.rows import rows
from tools.database import Database
from tools.errors import DatabaseUnavailable
from tools.ledger.claims import ONLINE
from tools.ledger.spent import UsageRow, spent_usd, usage_of
from tools.ledger.usage import Outcome, Spending, Tokens, Usage
from tools.prices import Prices

ENDS: tuple[Outcome, ...] = ("answered", "throttled", "failed", "late")
PRICES = Prices(input_usd=1, output_usd=10, cached_usd=0.5)


async def counted(database: Database, campaign_id: int = ONLINE) -> dict[tuple[str, str], int]:
    """Return tries by step and outcome."""
    return {(row.step, row.outcome): row.tries for row in await usage_of(database, campaign_id)}


async def statements(database: Database) -> int:
    """Return how many statements the writers there are have sent."""
    return int((await rows(database, "select coalesce(sum(batch), 0) from llm_usage_writer"))[0][0])


class Breakable(Database):
    """A database that answers nothing while it is `gone`; with `writes` it does what it is asked all the same."""

    def __init__(self, url: str, *, writes: bool) -> None:
        async def locate() -> str:
            return url

        super().__init__(locate, prepare=prepare)
        self.gone, self._writes = True, writes

    @asynccontextmanager
    async def statement(self) -> AsyncIterator[AsyncConnection]:
        """Lend a connection that fails."""
        if self.gone and not self._writes:
            raise DatabaseUnavailable("away")
        async with super().statement() as connection:
            yield connection
        if self.gone:
            raise DatabaseUnavailable("away")


async def test_a_try_is_written_before_it_is_sent(database: Database) -> None:
    usage = Usage(database)
    entry = await usage.sending("draft", "m", Spending())
    assert await counted(database) == {("draft", "sent"): 1}
    usage.settle(entry, "answered", Tokens(100, 20, 60))
    assert await usage.flush()
    assert await usage_of(database, ONLINE) == [UsageRow("draft", "m", "answered", 1, 100, 20, 60)]
    ((same,),) = await rows(
        database, "select minute = date_trunc('minute', minute) and minute <= now() from llm_usage limit 1"
    )
    assert same
    await usage.aclose()
    assert await rows(database, "select * from llm_usage_writer") == []


async def test_a_hundred_tries_at_once_take_three_statements(database: Database) -> None:
    """The first goes alone, the others while it is under way; all outcomes go together."""
    usage = Usage(database)
    entries = await asyncio.gather(*(usage.sending("draft", "m", Spending()) for _ in range(100)))
    assert await statements(database) <= 2
    for entry in entries:
        usage.settle(entry, "answered", Tokens(1, 2, 0))
    await usage.flush()
    assert await statements(database) <= 3
    assert await usage_of(database, ONLINE) == [UsageRow("draft", "m", "answered", 100, 100, 200, 0)]
    await usage.aclose()


async def test_an_outcome_is_written_without_another_try_to_ride_with(database: Database) -> None:
    usage = Usage(database)
    usage.settle(await usage.sending("draft", "m", Spending()), "failed")
    while await counted(database) != {("draft", "failed"): 1}:
        await asyncio.sleep(0.01)
    await usage.aclose()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tries=st.lists(
        st.tuples(st.sampled_from(["draft", "judge"]), st.sampled_from([*ENDS, "withdrawn", "sent", "cancelled"])),
        max_size=30,
    )
)
async def test_whatever_becomes_of_tries_they_add_up(database: Database, tries: list[tuple[str, str]]) -> None:
    await rows(database, "delete from llm_usage")
    usage = Usage(database)

    async def one(step: str, end: str) -> None:
        sending = asyncio.create_task(usage.sending(step, "m", Spending()))
        if end == "cancelled":
            await asyncio.sleep(0)
            sending.cancel()
            await asyncio.wait([sending])
            return
        entry = await sending
        if end == "withdrawn":
            usage.withdraw(entry)
        elif end != "sent":
            usage.settle(entry, end, Tokens(3, 1, 2))  # type: ignore[arg-type]

    await asyncio.gather(*(one(*each) for each in tries))
    await usage.aclose()
    assert await counted(database) == Counter(each for each in tries if each[1] not in ("withdrawn", "cancelled"))


async def test_two_processes_write_the_same_rows_without_a_deadlock(database: Database, elsewhere: Database) -> None:
    steps = [f"step {number}" for number in range(10)]

    async def work(usage: Usage, order: list[str]) -> None:
        for _ in range(20):
            entries = await asyncio.gather(*(usage.sending(step, "m", Spending(strict=True)) for step in order))
            for entry in entries:
                usage.settle(entry, "answered")
        await usage.aclose()

    await asyncio.gather(work(Usage(database), steps), work(Usage(elsewhere), steps[::-1]))
    assert await counted(database) == {(step, "answered"): 40 for step in steps}


@pytest.mark.parametrize("writes", [False, True], ids=["refused", "answer lost"])
async def test_a_ledger_that_is_away_loses_nothing_and_counts_nothing_twice(
    database: Database, database_url: str, caplog: pytest.LogCaptureFixture, writes: bool
) -> None:
    broken = Breakable(database_url, writes=writes)
    usage = Usage(broken)
    entries = [await usage.sending("draft", "m", Spending()) for _ in range(3)]
    usage.settle(entries[0], "answered", Tokens(5, 5, 0))
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable, match="sends nothing uncounted"):
            await usage.sending("draft", "m", Spending(strict=True))
    assert not await usage.flush()
    told = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert told == ["usage of the model can't be written now; it is kept in memory until it can"]
    broken.gone = False
    usage.settle(entries[1], "late")
    assert await usage.flush()
    assert await counted(database) == {("draft", "answered"): 1, ("draft", "late"): 1, ("draft", "sent"): 1}
    await usage.aclose()
    await broken.aclose()


async def test_what_is_never_written_is_told_at_the_end(database_url: str, caplog: pytest.LogCaptureFixture) -> None:
    usage = Usage(Breakable(database_url, writes=False))
    await usage.sending("draft", "m", Spending())
    await usage.aclose()
    assert "the last 1 tries" in caplog.text


async def test_a_campaign_there_is_not_holds_up_nobody(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    usage = Usage(database)
    with pytest.raises(DatabaseUnavailable):
        await usage.sending("draft", "m", Spending(campaign_id=77, strict=True))
    entry = await usage.sending("draft", "m", Spending())
    usage.settle(entry, "answered")
    await usage.aclose()
    assert await counted(database) == {("draft", "answered"): 1}
    assert "can't be counted" in caplog.text


async def test_money_spent_counts_tokens_told_and_what_the_caller_says_of_others(database: Database) -> None:
    usage = Usage(database)
    entries = [await usage.sending("draft", "m", Spending()) for _ in range(4)]
    usage.settle(entries[0], "answered", Tokens(1_000_000, 100_000, 400_000))
    usage.settle(entries[1], "late")
    usage.settle(entries[2], "throttled")
    await usage.aclose()
    assert await spent_usd(database, ONLINE, None) is None
    assert await spent_usd(database, ONLINE, PRICES) == Decimal("1.8")
    assert await spent_usd(database, ONLINE, PRICES, unknown_usd=Decimal("0.1")) == Decimal("2.0")
