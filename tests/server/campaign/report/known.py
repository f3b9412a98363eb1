"""A campaign of 401 predictions whose every figure can be worked out from `rule`, written row by row."""

import json
from typing import Any, NamedTuple

from psycopg import AsyncConnection

from tools.database import Database

NAME = "known"
ROWS = range(1, 402)
SPEC = {
    "name": NAME, "budget_usd": "1000.00", "send_date": "2026-12-01", "engine": "local",
    "personalisation": "cohort", "holdout": 5.0, "variants": {"draft": {"b": 50.0}},
}  # fmt: skip
SECOND = 401
"""The second prediction of member 21."""


class Row(NamedTuple):
    status: str
    recommendation: str | None
    error_class: str | None
    cohort: int | None


def member(n: int) -> int:
    return 21 if n == SECOND else n


def gender(n: int) -> str:
    return "F" if n <= 200 else "M" if n <= 390 else "Other"


def age(n: int) -> int:
    return 30 if n % 2 else 70


def rule(n: int) -> Row:
    if n % 20 == 0:
        return Row("skipped", "suppressed_holdout", None, None)
    if n <= 10:
        return Row("skipped", "no_offer_needed", None, None)
    if n <= 15:
        return Row("skipped", "user_not_found", None, None)
    if n <= 200 and n % 2 == 0:
        return Row("skipped", "suppressed_low_confidence", None, None)
    if n == 17:
        return Row("skipped", "suppressed_marketing_opt_out", None, None)
    if n == SECOND:
        return Row("done", "offer_generated", None, 3)
    if n % 50 == 1:
        return Row("dead", "generation_failed", "compliance", 4)
    if n >= 397:
        return Row("pending", None, None, 2)
    return Row("done", "offer_generated", None, 1 if n <= 200 else 2)


def cost(n: int) -> float:
    return 1.0 if n == SECOND else 2.0 if n <= 200 and n % 4 == 1 else 2.5 if n <= 200 else 4.0


def result(clause: str, found: str, depends_on: list[str], *, stage: str = "copy", severity: str = "fix") -> dict[str, Any]:
    return {
        "policy_id": "UDAAP-10", "policy_version": "1", "clause_id": clause, "kind": "code", "stage": stage,
        "depends_on": depends_on, "result": found, "severity": severity, "evidence": [], "error_code": None,
    }  # fmt: skip


OPEN = result("consent", "unknown", ["member"], stage="member")
"""What a draft for nobody always leaves open; it counts against no draft."""


def attempt(source: str | None, *results: dict[str, Any]) -> dict[str, Any]:
    draft = None if source is None else {"source": source, "option_id": "o"}
    return {"draft": draft, "report": {"verdict": "unknown", "results": [OPEN, *results], "violations": []}}


NUMBERS = result("numbers", "violate", ["copy", "terms"])
TONE = result("tone", "unknown", ["copy"])
FEE = result("fee", "violate", ["member", "terms"], stage="terms")
HINT = result("hint", "violate", ["copy"], severity="warn")


def call(step: str, seconds: float, *, cached: bool = False) -> dict[str, Any]:
    return {"step": step, "attempts": 0 if cached else 1, "cached": cached, "elapsed_ms": seconds * 1000, "error_code": None}


MERCHANTS = {1: ["Aurora Air", "Harbor Hotels"], 2: ["Aurora Air", "Blue Bistro"], 3: ["Blue Bistro"]}
COHORTS: dict[int, tuple[str, str | None, dict[str, str], list[dict[str, Any]], list[dict[str, Any]]]] = {
    1: ("done", "model", {}, [attempt("model", HINT)], [call("draft", 1.0), call("judge", 0.5)]),
    2: ("done", "model", {"draft": "b"}, [attempt("model", NUMBERS, TONE), attempt("model")], [call("draft", 2.0)]),
    3: (
        "done", "fallback", {},
        [attempt("model", NUMBERS), attempt("model", NUMBERS, FEE), attempt("fallback")],
        [call("draft", 4.0), call("draft", 9.0, cached=True)],
    ),
    4: ("dead", None, {"draft": "b"}, [attempt(None, TONE), attempt("fallback", TONE)], []),
    5: ("pending", None, {}, [], []),
}  # fmt: skip
USAGE = [
    ("12:00", "draft", "answered", 6, 9000, 1200, 3000),
    ("12:00", "draft", "throttled", 2, 0, 0, 0),
    ("12:02", "draft", "failed", 1, 500, 0, 0),
    ("12:02", "judge", "answered", 3, 3000, 300, 0),
    ("12:02", "draft", "sent", 1, 0, 0, 0),
]


async def plant(database: Database, *, state: str = "done") -> int:
    """Write the campaign and its members; return its id."""
    async with database.connection() as connection:
        cursor = await connection.execute(
            "insert into campaign (name, state, spec, versions, input_name, input_sha, input_rows, sent_at, planned_at,"
            " started_at) values (%s, %s, %s, %s, 'scores.csv', 'f00d', 406, now(), now(), now()) returning campaign_id",
            (NAME, state, json.dumps(SPEC), json.dumps({"policy_epoch": 3, "prompts": {"draft": "ab" * 32}})),
        )
        found = await cursor.fetchone()
        assert found is not None
        campaign_id = int(found[0])
        await _members(connection)
        await _items(connection, campaign_id)
        await _cohorts(connection, campaign_id)
        await _money(connection, campaign_id)
    return campaign_id


async def _members(connection: AsyncConnection) -> None:
    people = [(f"U{n}", f"Nameless{n}", age(n), gender(n), _place(n)) for n in ROWS if n < SECOND and not 10 < n <= 15]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into cardmember (user_id, name, age, gender, location) values (%s, %s, %s, %s, %s)", people
        )


def _place(n: int) -> str:
    return "Chicago, IL" if n % 4 == 0 else "Austin, TX"


async def _items(connection: AsyncConnection, campaign_id: int) -> None:
    items = [
        (campaign_id, f"k{n}", f"U{member(n)}", "Dining" if n == SECOND else "Travel", n, *rule(n), member(n) % 20 == 0)
        for n in ROWS
    ]
    done = [n for n in ROWS if rule(n).status == "done"]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into campaign_reject (campaign_id, row_no, user_id, reason, raw) values (%s, %s, %s, 'bad', '{}')",
            [(campaign_id, n, f"U{n}") for n in range(402, 407)],
        )
        await cursor.executemany(
            "insert into offer_item (campaign_id, prediction_key, user_id, domain, row_no, status, recommendation,"
            " error_class, cohort_id, in_holdout) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            items,
        )
        await cursor.executemany(
            "insert into decision (run_id, campaign_id, prediction_key, recommendation, record, cohort_id)"
            " values (%s, %s, %s, 'offer_generated', '{}', %s)",
            [(f"run{n}", campaign_id, f"k{n}", rule(n).cohort) for n in done],
        )
        await cursor.executemany(
            "insert into offer (campaign_id, prediction_key, run_id, user_id, domain, offer_type, option_id, compliant,"
            " high_value, expected_cost_usd, start_date, end_date, html_sha256)"
            " values (%s, %s, %s, %s, %s, %s, %s, true, false, %s, '2026-12-01', '2026-12-31', %s)",
            [(campaign_id, f"k{n}", f"run{n}", f"U{member(n)}", *_offered(n), cost(n), f"beef{n}") for n in done],
        )


def _offered(n: int) -> tuple[str, str, str]:
    if n == SECOND:
        return "Dining", "cashback", "dining-3"
    return "Travel", "statement_credit" if n <= 200 else "points_multiplier", f"travel-{cost(n):g}"


async def _cohorts(connection: AsyncConnection, campaign_id: int) -> None:
    async with connection.cursor() as cursor:
        for number, (status, source, variants, history, calls) in COHORTS.items():
            merchants = [{"merchant_name": name} for name in MERCHANTS.get(number, [])]
            record = {"history": history, "calls": calls, "terms": {"merchants": merchants}} if history else None
            size = sum(rule(n).cohort == number for n in ROWS)
            await cursor.execute(
                "insert into campaign_cohort (campaign_id, cohort_id, key, view, variants, use_llm, items, status, source,"
                " record) values (%s, %s, %s, '{}', %s, true, %s, %s, %s, %s)",
                (
                    campaign_id, number, f"key{number}", json.dumps(variants), size, status, source,
                    None if record is None else json.dumps(record),
                ),
            )  # fmt: skip


async def _money(connection: AsyncConnection, campaign_id: int) -> None:
    budgets = [("campaign", "", 1000), ("day", "", 900), ("domain", "Travel", 950), ("member", "", 20)]
    used = [("campaign", "", 760, 1000), ("day", "2026-12-01", 760, 900), ("domain", "Travel", 759, 950)]
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "insert into budget (campaign_id, scope, name, limit_usd) values (%s, %s, %s, %s)",
            [(campaign_id, *row) for row in budgets],
        )
        await cursor.executemany(
            "insert into budget_use (campaign_id, scope, name, used_usd, most_usd) values (%s, %s, %s, %s, %s)",
            [(campaign_id, *row) for row in used],
        )
        await cursor.executemany(
            "insert into llm_usage (minute, campaign_id, step, model, outcome, tries, input_tokens, output_tokens,"
            " cached_tokens) values (%s, %s, %s, 'm', %s, %s, %s, %s, %s)",
            [(f"2026-12-01T{minute}Z", campaign_id, *rest) for minute, *rest in USAGE],
        )
