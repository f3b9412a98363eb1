"""What members said about offers: read inside a claim's transaction, and again when an offer is written."""

import csv
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools.ledger.conftest import ZONE
from tests.tools.ledger.rows import CLAIM, outcome, rows
from tools.database import Database
from tools.errors import InputInvalid
from tools.ledger.claims import Claims, Taken
from tools.ledger.opt_outs import Choices, OptOuts, Recipient
from tools.ledger.records import Records
from tools.ledger.suppression_list import add, import_file, listed, remove
from tools.screening import Hold, Usage
from tools.vocabulary import DOMAINS

MEMBER = Recipient("USER_1", "earlier-run")
FAR = date.today() + timedelta(days=60)


def wanted(usage: Usage) -> tuple[Hold, ...]:
    return (("marketing_opt_out", ""),) if usage.opted_out else ()


@pytest.fixture
def opt_outs(database: Database) -> OptOuts:
    return OptOuts(database, zone=ZONE)


async def test_a_claim_counts_what_the_member_said(claims: Claims, opt_outs: OptOuts) -> None:
    async def usage() -> Usage:
        seen = await claims.look(CLAIM, wanted)
        assert isinstance(seen, Taken)
        return seen.usage

    assert await usage() == Usage()
    await opt_outs.prefer(MEMBER, refused={"Travel"}, paused_until=FAR)
    assert await usage() == Usage(domain_refused=True, paused_until=FAR)
    await opt_outs.prefer(MEMBER, refused={"Dining"}, paused_until=date.today() - timedelta(days=1))
    assert await usage() == Usage()
    await opt_outs.stop(MEMBER, source="one_click")
    assert await usage() == Usage(suppressed=True)
    assert await opt_outs.resume(MEMBER)
    assert not await opt_outs.resume(MEMBER)
    assert await usage() == Usage()


@pytest.mark.parametrize("state", ["pending", "retry"])
async def test_a_prediction_that_waits_is_held_by_its_next_claim(
    claims: Claims, records: Records, opt_outs: OptOuts, state: str
) -> None:
    await claims.claim(replace(CLAIM, lease_s=0 if state == "pending" else 60), wanted)
    if state == "retry":
        assert await records.finish(outcome(CLAIM, close="retry", recommendation="error"))
    await opt_outs.stop(MEMBER, source="one_click")
    taken = await claims.claim(replace(CLAIM, run_id="second"), wanted)
    assert isinstance(taken, Taken)
    assert taken.holds == (("marketing_opt_out", ""),)


async def say_stop(opt_outs: OptOuts) -> None:
    await opt_outs.stop(MEMBER, source="unsubscribe_page")


async def say_no_travel(opt_outs: OptOuts) -> None:
    await opt_outs.prefer(MEMBER, refused={"Travel"}, paused_until=None)


async def say_pause(opt_outs: OptOuts) -> None:
    await opt_outs.prefer(MEMBER, refused=(), paused_until=FAR)


@pytest.mark.parametrize("say", [say_stop, say_no_travel, say_pause])
async def test_an_offer_made_while_the_member_opted_out_is_not_written(
    claims: Claims, records: Records, database: Database, opt_outs: OptOuts, say: Callable[[OptOuts], object]
) -> None:
    await claims.claim(CLAIM, wanted)
    await say(opt_outs)  # type: ignore[misc]
    assert not await records.finish(outcome(CLAIM, cost=Decimal(1)))
    assert await rows(database, "select (select count(*) from offer), (select count(*) from decision)") == [(0, 0)]
    assert await records.finish(outcome(CLAIM))  # an outcome without an offer is


async def test_other_members_and_domains_are_not_held(claims: Claims, records: Records, opt_outs: OptOuts) -> None:
    await opt_outs.stop(Recipient("USER_2", "r"), source="one_click")
    await opt_outs.prefer(MEMBER, refused={"Dining"}, paused_until=None)
    await claims.claim(CLAIM, wanted)
    assert await records.finish(outcome(CLAIM, cost=Decimal(1)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["stop", "resume", "prefer", "officer", "release"]),
            st.frozensets(st.sampled_from(DOMAINS)),
            st.none() | st.just(FAR),
        ),
        max_size=8,
    )
)
async def test_the_last_word_counts_and_an_officers_stop_outlives_links(
    database: Database, opt_outs: OptOuts, acts: list[tuple[str, frozenset[str], date | None]]
) -> None:
    await rows(database, "delete from suppression")
    await rows(database, "delete from contact_preference")
    expected = Choices()
    for act, refused, until in acts:
        if act == "stop":
            await opt_outs.stop(MEMBER, source="one_click")
            expected = expected if expected.stopped else replace(expected, stopped=True, resumable=True)
        elif act == "resume":
            assert await opt_outs.resume(MEMBER) is expected.resumable
            expected = replace(expected, stopped=False, resumable=False) if expected.resumable else expected
        elif act == "prefer":
            await opt_outs.prefer(MEMBER, refused=refused, paused_until=until)  # type: ignore[arg-type]
            expected = replace(expected, refused=refused, paused_until=until)  # type: ignore[arg-type]
        elif act == "officer":
            assert await add(database, ["USER_1", "USER_1"], source="Client Care") == (not expected.stopped)
            expected = replace(expected, stopped=True, resumable=False)
        else:
            assert await remove(database, ["USER_1"], source="Client Care") == expected.stopped
            expected = replace(expected, stopped=False, resumable=False)
        assert await opt_outs.choices("USER_1") == expected


async def test_an_import_takes_good_lines_and_reports_bad_ones(database: Database, tmp_path: Path) -> None:
    await add(database, ["USER_KNOWN"], source="Client Care")
    path = tmp_path / "list.csv"
    path.write_bytes(
        b"\xef\xbb\xbfUser_ID,Source,note\r\nUSER_A,,x\r\n,,empty\r\nUSER_B, phone call ,\r\n\r\nUSER_KNOWN,,\r\n"
        + f"{'x' * 201},,long\r\nUSER_A,,again\r\nUSER_C,,y,too many\r\n".encode()
        + b'"USER\nD",,\r\nUSER_E\r\n'
    )
    done = await import_file(database, path, source="old list", rejects_dir=tmp_path / "rejects")
    assert (done.read, done.added, done.already, done.rejected) == (9, 3, 2, 4)
    told = [(reject.line, reject.column, reject.reason.split(",")[0]) for reject in done.shown]
    assert told == [
        (3, "user_id", "is empty"),
        (7, "user_id", "must have 1 to 200 characters"),
        (9, "(row)", "has more cells than the header"),
        (11, "user_id", "must have 1 to 200 characters"),
    ]
    assert done.rejects_path is not None
    with done.rejects_path.open(encoding="utf-8", newline="") as file:
        assert [(row["line"], row["value"][:6]) for row in csv.DictReader(file)] == [
            ("3", ""), ("7", "xxxxxx"), ("9", "USER_C"), ("11", "USER\nD"),
        ]  # fmt: skip
    entries, count = await listed(database, limit=10)
    assert {(entry.user_id, entry.source) for entry in entries} == {
        ("USER_A", "old list"), ("USER_B", "phone call"), ("USER_KNOWN", "Client Care"), ("USER_E", "old list"),
    }  # fmt: skip
    assert count == 4
    again = await import_file(database, path, source="old list", rejects_dir=tmp_path / "rejects")
    assert (again.added, again.already) == (0, 5)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"member\nUSER_A\n", "line 1: no column user_id"),
        (b"", "line 1: no column user_id"),
        (b"user_id\nUSER_A\nUSER_\xff\n", "line 3: byte 0xff"),
        (b'user_id\nUSER_A\n"USER_B\nUSER_C\n', "line 3: unexpected end of data"),
        (None, "can't be read"),
    ],
)
async def test_an_unreadable_list_puts_nobody_on_it(
    database: Database, tmp_path: Path, content: bytes | None, told: str
) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputInvalid, match=told):
        await import_file(database, path, source="old list", rejects_dir=tmp_path / "rejects")
    assert await rows(database, "select count(*) from suppression") == [(0,)]
    assert list((tmp_path / "rejects").glob("*")) == []
