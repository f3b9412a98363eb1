import json
from datetime import date

import pytest

from tools.errors import InputInvalid
from tools.load.rejects import ROW
from tools.sample import sample_members

AS_OF = date(2026, 9, 30)
NESTED = {
    "profile": {
        "user_id": "NESTED_1",
        "name": "Ada Chen",
        "age": 40,
        "card_type": "gold",
        "opt_in_marketing": True,
        "credit_limit": 12_000,
        "favourite_colour": "blue",
    },
    "transaction_history": [
        {"date": "2026-09-29", "merchant": "A", "amount": 100.10, "category": "dining"},
        {"date": "2026-09-01T10:00:00", "merchant": "B", "amount": "50.00", "category": "Travel"},
        {"date": "2026-08-20", "merchant": "B", "amount": 120, "category": "Travel"},
        {"date": "2026-08-19", "merchant": "B", "amount": -20, "category": "Travel"},
        {"date": "2026-05-20", "merchant": "C", "amount": 200, "category": "Groceries"},
        {"date": "2025-09-30", "merchant": "D", "amount": 999, "category": "Dining"},
    ],
    "engagement_behavior": {"total_app_opens_90d": 60, "offer_views_90d": 20, "offer_clicks_90d": 9},
    "offer_history": [
        {"domain": "Dining", "status": "declined", "date": "2026-09-10"},
        {"domain": "travel", "status": "Accepted", "date": "2026-07-01"},
        {"domain": "Retail", "status": "accepted", "date": "2026-01-01"},
    ],
}


def flat(place: int) -> dict[str, object]:
    return json.loads(sample_members(place + 1)[place].write_ndjson())


async def test_a_nested_profile_becomes_a_row_with_what_its_histories_give(load, held) -> None:
    report = await load(json.dumps([NESTED]), "old.json", as_of=AS_OF)
    assert report.inserted == 1
    row = {name: value for name, value in held()["NESTED_1"].items() if value is not None}
    assert {name: float(value) if name.startswith(("total_s", "avg", "mon", "spend", "cred", "hist")) else value
            for name, value in row.items()} == {
        "user_id": "NESTED_1",
        "name": "Ada Chen",
        "age": 40,
        "card_type": "Gold",
        "opt_in_marketing": True,
        "credit_limit": 12_000.0,
        "preferred_domain_1": "Travel",
        "preferred_domain_2": "Dining",
        "total_transactions_12m": 4,
        "total_spend_12m": 450.10,
        "avg_transaction_amount": 112.53,
        "recency_days": 1,
        "frequency_30d": 2,
        "monetary_30d": 150.10,
        "spend_change_pct_30d": 0.501,
        "spend_change_pct_90d": 0.2505,
        "total_app_opens_90d": 60,
        "offer_views_90d": 20,
        "offer_clicks_90d": 9,
        "offers_shown_6m": 2,
        "offers_accepted_6m": 1,
        "historical_acceptance_rate": 0.5,
        "days_since_last_offer": 20,
        "offers_sent_this_month": 1,
        "last_offer_accepted": False,
        "last_offer_domain": "Dining",
        "last_offer_date": date(2026, 9, 10),
    }  # fmt: skip
    assert report.warnings == ("profile fields that no column holds were ignored: profile.favourite_colour (1)",)


async def test_what_a_profile_states_wins_over_its_histories(load, held) -> None:
    stated = {**NESTED, "profile": {**NESTED["profile"], "total_spend_12m": 9_000, "preferred_domain_1": "Retail"}}
    await load(json.dumps(stated), "one.json", as_of=AS_OF)
    row = held()["NESTED_1"]
    assert (float(row["total_spend_12m"]), row["preferred_domain_1"], row["recency_days"]) == (9_000.0, "Retail", 1)


@pytest.mark.parametrize(
    ("section", "value", "where", "reason"),
    [
        ("transaction_history", [{"date": "yesterday", "amount": 1}], "transaction_history[0].date", "not a date"),
        (
            "transaction_history",
            [{"date": "2026-12-01", "amount": 1}],
            "transaction_history[0].date",
            "after 2026-09-30",
        ),
        (
            "transaction_history",
            [{"date": "2026-09-01", "amount": "?"}],
            "transaction_history[0].amount",
            "not a number",
        ),
        ("transaction_history", [{"date": "2026-09-01"}], "transaction_history[0].amount", "not a finite number"),
        ("transaction_history", {"a": 1}, "transaction_history", "expected a list"),
        ("offer_history", ["Dining"], "offer_history[0]", "expected an object"),
        ("engagement_behavior", [1], "engagement_behavior", "expected an object"),
        ("profile", {"user_id": ["A"]}, "profile.user_id", "expected a single value"),
        ("profile", {"name": "Ada"}, "user_id", "a value is required"),
    ],
)
async def test_a_bad_part_of_a_profile_is_named_and_the_other_profiles_load(
    load, held, rejects, section, value, where, reason
) -> None:
    report = await load(json.dumps([{**NESTED, section: value}, NESTED], indent=1), "old.json", as_of=AS_OF)
    assert list(held()) == ["NESTED_1"]
    ((line, column, _, found),) = rejects(report)
    assert (line, column) == (2, where)
    assert found.startswith(reason)


async def test_flat_and_nested_rows_mix_and_lines_are_those_of_the_objects(load, held, rejects) -> None:
    bad = {**flat(5), "user_id": "B", "age": "x", "gender": True}
    text = json.dumps([flat(5), bad, NESTED, "text", {**flat(6), "colour": "blue"}], indent=1)
    report = await load(text, "mixed.json", as_of=AS_OF)
    assert sorted(held()) == ["NESTED_1", "USER_000005"]
    starts = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(" {") or line == ' "text",']
    assert [(line, column, reason.split(";")[0]) for line, column, _, reason in rejects(report)] == [
        (starts[1], "age", "not a whole number"),
        (starts[1], "gender", "expected one of M, F, Other"),
        (starts[3], ROW, "expected an object per member"),
        (starts[4], "colour", "unknown field"),
    ]


async def test_missing_fields_of_flat_rows_are_null_and_said_so(load, held) -> None:
    report = await load('{"user_id": "A", "age": 30}\n\n{"user_id": "B", "gender": "F"}\n', "few.jsonl")
    assert (held()["A"]["age"], held()["A"]["gender"], held()["B"]["gender"]) == (30, None, "F")
    assert report.warnings[0].startswith("no row has name, location, segment")


async def test_a_broken_line_of_json_lines_costs_that_line_only(load, held, rejects) -> None:
    lines = [json.dumps({**flat(5), "user_id": user_id}) for user_id in "ABCD"]
    lines[1] = lines[1][:50]
    lines[2] = lines[2].replace('"B"', "NaN").replace('"age":41', '"age":NaN').replace('"age": 41', '"age": NaN')
    report = await load("\r\n".join(lines), "broken.jsonl")
    assert sorted(held()) == ["A", "D"]
    assert [(line, column) for line, column, _, _ in rejects(report)] == [(2, ROW), (3, "age")]
    assert rejects(report)[1][2:] == ("nan", "not a finite number")


async def test_half_a_surrogate_pair_is_rejected(load, held, rejects) -> None:
    report = await load('{"user_id": "A", "name": "x\\ud800"}\n{"user_id": "B", "name": "\\u0000"}\n', "bad.jsonl")
    assert held() == {}
    assert [reason for *_, reason in rejects(report)] == ["holds half of a surrogate pair", "holds a NUL byte"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"user_id": "A"},\n{"user_id": ]', "line 2: not JSON: Expecting value"),
        ('[{"user_id": "A"},\n', "line 2: the list is never closed"),
        ('[{"userid": "A"}]', "unknown: 'userid'.*Perhaps 'userid' for 'user_id'"),
        ("[" * 100_000, "not JSON: nested too deeply"),
        ('{"age": ' + "9" * 5_000 + "}", "not JSON"),
        ("hello", "line 1: not JSON"),
        ('[{"user_id": "A\xff"}]'.encode("latin-1"), "line 1: byte 0xff at position 16 is not UTF-8"),
    ],
)
async def test_a_file_that_is_no_json_is_refused_with_its_line(load, held, content, message) -> None:
    with pytest.raises(InputInvalid, match=message):
        await load(content, "bad.json")
    assert held() == {}


async def test_objects_that_straddle_the_chunks_read_are_whole(load, held) -> None:
    rows = [{"user_id": f"U{place:05d}", "name": "n" * 190} for place in range(12_000)]
    report = await load(json.dumps(rows), "long.json")
    assert (report.inserted, report.rows_rejected) == (12_000, 0)
    assert set(held()) == {row["user_id"] for row in rows}
