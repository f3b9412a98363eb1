"""Draws the golden set, alike on every machine. Any first N cases hold domains, cards and strategies evenly."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from itertools import product
from random import Random
from typing import Any, Final

from tests.golden.tricky import SEND_DATE, TRICKY, Tricky
from tools.columns import ALL_COLUMNS
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES, CardType, Domain, Strategy

SEED: Final = 20_261_201
CASES: Final = 400
EVERY: Final = 10
"""One case in so many is a tricky one."""

BANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "spend_trend": ("decreasing", "stable", "increasing"),
    "engagement": ("low", "medium", "high"),
    "domain_interest": ("preferred", "other"),
    "tenure_band": ("new", "established", "long_standing"),
}
Bands = Mapping[str, str]
Cell = tuple[Domain, CardType, Strategy]
SYLLABLES: Final = ("zor", "quel", "vax", "mirn", "thul", "brev", "jost", "klen", "drax", "wym", "plo", "xan")


def cells() -> list[Cell]:
    """Return the 54 cells in an order whose every stretch of 18 holds each domain with all cards and strategies."""
    found = []
    for place in range(54):
        d, j = place % 6, place // 6
        card, strategy = (j + d) % 3, (j // 3 + j + d // 2) % 3
        found.append((DOMAINS[d], CARD_TYPES[card], STRATEGIES[strategy]))
    return found


def draw(smallest: Cell) -> tuple[str, str, str]:
    """Return the bytes of golden.json, cases.jsonl and members.csv. `smallest` is a cell of the smallest menu."""
    cases, rows, used = [], [], set[tuple[Any, ...]]()
    tricky, order = iter(TRICKY * CASES), cells()
    regular = 0
    for number in range(1, CASES + 1):
        random = Random(f"{SEED} {number}")  # each row by itself: a changed kind changes no other row
        odd = next(tricky) if number % EVERY == 0 else None
        place = number // EVERY * 7 if odd else regular
        regular += odd is None
        cell = smallest if odd and odd.smallest_menu else order[place % len(order)]
        cell = (cell[0], cell[1], _strategy(cell[2], odd))
        bands = _unused(cell, odd, used, random)
        user_id = f"GOLDEN_{number:04d}"
        row = {**_row(random, cell, bands), "user_id": user_id}
        row = _changed(row, odd, cell[0])
        rows.append(row)
        cases.append(
            {
                "case_id": f"case-{number:04d}",
                "user_id": user_id,
                "domain": cell[0],
                "confidence": round(random.uniform(0.72, 0.98), 2) if not odd or not odd.confidence else odd.confidence,
                "kind": odd.kind if odd else "regular",
                "why": odd.why if odd else f"{cell[1]} card, {cell[2]}: {', '.join(bands.values())}",
                "expect": odd.expect if odd else "drafts",
            }
        )
    setting = json.dumps({"format": 1, "send_date": SEND_DATE.isoformat()}) + "\n"
    return setting, "".join(json.dumps(case, ensure_ascii=False) + "\n" for case in cases), _csv(rows)


def _strategy(strategy: Strategy, odd: Tricky | None) -> Strategy:
    if odd is None:
        return strategy
    named: Any = odd.strategy
    return named or ("persuadable" if odd.bands else strategy)


def _unused(cell: Cell, odd: Tricky | None, used: set[tuple[Any, ...]], random: Random) -> Bands:
    wanted = odd.bands if odd else {}
    free = [
        bands
        for values in product(*BANDS.values())
        if _possible(cell[2], bands := dict(zip(BANDS, values, strict=True)))
        and all(bands[name] == value for name, value in wanted.items())
        and (*cell, *values) not in used
    ]
    chosen = random.choice(free)
    used.add((*cell, *chosen.values()))
    return chosen


def _possible(strategy: Strategy, bands: Bands) -> bool:
    match strategy:
        case "sure_thing":
            return bands["engagement"] != "low" and bands["spend_trend"] != "decreasing"
        case "lost_cause":
            return bands["engagement"] == "low"
        case _:
            return True


_CHANGE: Final = {"decreasing": (-0.6, -0.12), "stable": (-0.09, 0.09), "increasing": (0.12, 0.9)}
_OPENS: Final = {"low": (0, 28), "medium": (33, 58), "high": (63, 160)}
_CLICKS: Final = {"low": (0, 5), "medium": (7, 14), "high": (16, 40)}
_DAYS: Final = {"new": (120, 700), "established": (800, 2900), "long_standing": (2950, 9000)}
_SHOWN: Final = {"sure_thing": (6, 12), "lost_cause": (7, 12), "persuadable": (6, 12)}
_TAKEN: Final = {"sure_thing": 0.7, "lost_cause": 0.15, "persuadable": 0.34}


def _row(random: Random, cell: Cell, bands: Bands) -> dict[str, Any]:
    domain, card_type, strategy = cell
    others = [other for other in DOMAINS if other != domain]
    random.shuffle(others)
    preferred = [domain, others[0]] if bands["domain_interest"] == "preferred" else others[:2]
    random.shuffle(preferred)
    opens, clicks = (random.randint(*table[bands["engagement"]]) for table in (_OPENS, _CLICKS))
    age = random.randint(*_DAYS[bands["tenure_band"]])
    shown = random.randint(*_SHOWN[strategy])
    taken = int(_TAKEN[strategy] * shown) if strategy != "sure_thing" else round(_TAKEN[strategy] * shown)
    monthly, days = round(random.uniform(700, 6000), 2), random.randint(45, 150)
    transactions = random.randint(40, 400)
    given, family = (_name(random) for _ in range(2))
    return {
        "name": f"{given} {family}",
        "age": random.randint(22, 84),
        "gender": random.choice(("M", "F", "Other")),
        "location": f"{_name(random)}ville, ZZ",
        "segment": random.choice(("Small Business", "Mass Market", "Mass Affluent", "Premium")),
        "tenure_years": age // 365,
        "card_type": card_type.title(),
        "annual_fee": {"basic": 0, "gold": 250, "platinum": 695}[card_type],
        "credit_limit": random.randrange(2_000, 60_000, 50),
        "card_activation_date": SEND_DATE - timedelta(days=age),
        "opt_in_marketing": True,
        "email_open_rate": round(random.uniform(0.1, 0.8), 2),
        "customer_lifecycle_stage": random.choice(("active", "onboarding", "at_risk", "dormant")),
        "churn_risk_score": round(random.uniform(0.02, 0.9), 2),
        "preferred_domain_1": preferred[0],
        "preferred_domain_2": preferred[1],
        "persona": random.choice(("Foodie", "Tech Professional", "Business Owner", "General Cardmember")),
        "total_transactions_12m": transactions,
        "total_spend_12m": round(monthly * 12, 2),
        "avg_transaction_amount": round(monthly * 12 / transactions, 2),
        "recency_days": random.randint(0, 25),
        "frequency_30d": random.randint(1, 30),
        "monetary_30d": round(monthly * random.uniform(0.7, 1.3), 2),
        "spend_change_pct_30d": round(random.uniform(-0.3, 0.3), 3),
        "spend_change_pct_90d": round(random.uniform(*_CHANGE[bands["spend_trend"]]), 3),
        "days_engaged_90d": min(90, opens),
        "total_app_opens_90d": opens,
        "offer_views_90d": clicks + random.randint(0, 20),
        "offer_clicks_90d": clicks,
        "avg_session_duration_sec": random.randint(20, 400),
        "engagement_change_pct_30d": round(random.uniform(-0.2, 0.2), 3),
        "offers_shown_6m": shown,
        "offers_accepted_6m": taken,
        "historical_acceptance_rate": round(taken / shown, 4),
        "days_since_last_offer": days,
        "offers_sent_this_month": random.randint(0, 1),
        "last_offer_accepted": True if strategy != "persuadable" else random.random() < 0.5,
        "last_offer_domain": others[-1],
        "last_offer_date": SEND_DATE - timedelta(days=days),
        "email": f"{given}.{family}@members.example".lower(),
    }


def _changed(row: dict[str, Any], odd: Tricky | None, domain: Domain) -> dict[str, Any]:
    if odd is None:
        return row
    for name, value in odd.columns.items():
        row[name] = value(row[name]) if isinstance(value, Callable) else value  # type: ignore[arg-type]
    if odd.same_domain:
        row["last_offer_domain"] = domain
        row["last_offer_date"] = SEND_DATE - timedelta(days=row["days_since_last_offer"])
    return row


def _name(random: Random) -> str:
    return "".join(random.sample(SYLLABLES, 3)).title()


def _csv(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [column.name for column in ALL_COLUMNS]
    writer.writerow(names)
    writer.writerows([_told(row[name]) for name in names] for row in rows)
    return text.getvalue()


def _told(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case _:
            return str(value)
