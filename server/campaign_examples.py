"""Requests and replies of the campaign routes as /docs shows them."""

from typing import Any, Final

from server.example import Example

LISTED: Final[dict[str, Any]] = {
    "campaign_id": 2,
    "name": "spring_travel",
    "state": "running",
    "note": "",
    "input_name": "scores.csv",
    "input_rows": 1002,
    "created_at": "2026-11-28T12:00:00.348760+00:00",
}

PROGRESS: Final[dict[str, Any]] = {
    "campaign_id": 2,
    "name": "spring_travel",
    "state": "running",
    "note": "",
    "driven": True,
    "spec": {
        "name": "spring_travel",
        "budget_usd": "5000.00",
        "send_date": "2026-12-01",
        "engine": "local",
        "personalisation": "cohort",
        "holdout": 5.0,
        "variants": {},
    },
    "input_name": "scores.csv",
    "input_rows": 1002,
    "rejected": 2,
    "items": 1000,
    "open": 310,
    "done": 402,
    "dead": 0,
    "skipped": 288,
    "skipped_by": {"suppressed_low_confidence": 201, "suppressed_monthly_cap": 87},
    "dead_by": {},
    "offers": 402,
    "cohorts": 38,
    "cohorts_done": 38,
    "cohorts_dead": 0,
    "chunks": 3,
    "chunks_done": 1,
    "offers_per_s": 134.0,
    "decided_per_s": 134.0,
    "seconds_left": 2.3,
    "budget_usd": "5000.00",
    "spent_usd": "1768.8000",
    "reserved_usd": "0",
    "tries": {"answered": 38},
    "input_tokens": 41230,
    "output_tokens": 6100,
    "model_usd": None,
    "silent_since": None,
    "created_at": "2026-11-28T12:00:00.348760Z",
    "planned_at": "2026-11-28T12:01:00.348760Z",
    "started_at": "2026-11-28T12:02:00.348760Z",
    "finished_at": None,
}

WHOLE: Final = {**PROGRESS, "plan": {"open": 712}, "versions": {"policy_set_sha": "e4316e37630e"}, "fault": None}

EVENTS: Final = """event: progress
data: {"name": "spring_travel", "state": "running", "open": 310, "done": 402, "...": "..."}

event: progress
data: {"name": "spring_travel", "state": "done", "open": 0, "done": 712, "...": "..."}

event: end
data:
"""

CREATE: Final = {
    "name": "spring_travel",
    "budget_usd": "5000.00",
    "send_date": "2026-12-01",
    "holdout": 5,
    "predictions": [{"user_id": "USER_000005", "domain": "Dining", "confidence_score": 0.93}],
}

CAMPAIGN_EXAMPLES: Final[dict[tuple[str, str], Example]] = {
    ("/campaigns", "get"): Example({"campaigns": [LISTED]}),
    ("/campaigns", "post"): Example({**LISTED, "state": "created", "items": 1000, "rejected": 2, "new": False}, CREATE),
    ("/campaigns/{ref}", "get"): Example(WHOLE),
    ("/campaigns/{ref}/events", "get"): Example(EVENTS),
    ("/campaigns/{ref}/plan", "post"): Example({**WHOLE, "state": "planned"}),
    ("/campaigns/{ref}/run", "post"): Example({**PROGRESS, "state": "done"}),
    ("/campaigns/{ref}/resume", "post"): Example({**PROGRESS, "state": "done"}),
    ("/campaigns/{ref}/pause", "post"): Example({**PROGRESS, "state": "paused", "note": "paused by hand"}),
    ("/campaigns/{ref}/cancel", "post"): Example({**PROGRESS, "state": "cancelled"}),
}
