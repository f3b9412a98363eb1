"""Requests and replies as /docs shows them: those of the sample members, shortened where long."""

from typing import Any, Final

from server.campaign_examples import CAMPAIGN_EXAMPLES
from server.example import Example

PREDICTION: Final = {"user_id": "USER_000005", "domain": "Dining", "confidence_score": 0.93}
HELD_BACK: Final = {"user_id": "USER_000003", "domain": "Travel", "confidence_score": 0.91}

OFFER: Final = {
    "success": True,
    "user_id": "USER_000005",
    "timestamp": "2026-11-22T15:04:05.348760+00:00",
    "recommendation": "offer_generated",
    "ml_recommendation": {
        "offer_flag": 1,
        "domain": "Dining",
        "confidence_score": 0.93,
        "pred_version": None,
        "prediction_timestamp": None,
    },
    "behavioral_analysis": {
        "insights": [
            "Card spending has been steady over the last quarter.",
            "The member uses the app and follows offers often.",
            "Dining is one of the member's preferred categories.",
        ],
        "spending_trends": {"spend_trend_90d": "stable", "category": "preferred"},
        "engagement_metrics": {"engagement": "high", "tenure": "established"},
        "offer_performance": {"acceptance": "moderate", "strategy": "persuadable"},
    },
    "applied_policies": [
        {"id": "compliance_policy", "type": "compliance", "domain": "all", "version": "1.0.0"},
        {"id": "dining_offer_policy", "type": "offer", "domain": "Dining", "version": "1.0.0"},
    ],
    "offer": {
        "success": True,
        "offer_title": "Share a good meal and get an 8% discount",
        "offer_description": "A good meal is a nice thing to look forward to. Enroll by December 7, 2026, then spend a"
        " total of $50 or more on your Gold Card with Resy Partner Restaurants and OpenTable Network. You get an 8%"
        " discount through December 22, 2026. It shows on your statement and is capped at $20.",
        "terms_and_conditions": "This offer is made by Example Bank for the Gold cardmember who received it. [...]",
        "call_to_action": "See terms and enroll",
        "offer_type": "discount",
        "offer_value": "8% discount",
        "expiration_days": 30,
        "minimum_spend": 50.0,
        "category_restrictions": ["Dining"],
        "featured_merchants": [
            {
                "merchant_name": "Resy Partner Restaurants",
                "merchant_category": "Reservations",
                "merchant_id": "MERCH_RESY_701",
                "merchant_type": "in-store",
            },
            {
                "merchant_name": "OpenTable Network",
                "merchant_category": "Reservations",
                "merchant_id": "MERCH_OPENTABLE_702",
                "merchant_type": "in-store",
            },
        ],
        "reasoning": "Signals: Card spending has been steady over the last quarter. The member uses the app and"
        " follows offers often. Dining is one of the member's preferred categories. The member takes some of the offers"
        " shown. The account is established. Strategy: persuadable, neither sure to act without an offer nor out of"
        " reach: gets what tips the choice (a rule of thumb, not measured uplift). Option: 8% discount"
        " (dining_discount_gold, step 5 of 6 by cost). Each one sent is expected to cost $4.40 and to add $6.24, net"
        " $1.84: modelled with take-up 22.0% instead of 6.0% (assumptions of ladders 1.1.0). Terms bounded by: [...]."
        " Copy: approved blocks, headline and button chosen by the model and the rest by code.",
        "policy_compliance_notes": ["47 clauses checked, none broken (policy set e4316e37630e)."],
        "ml_confidence": 0.93,
        "domain": "Dining",
        "generated_at": "2026-11-22T15:04:05.348760+00:00",
    },
    "email_html": '<!doctype html><html lang="en" dir="ltr">[...]</html>',
    "error": None,
    "run_id": "5a1f0c8d2b7e4f6f9c3d1e2a4b5c6d7e",
    "error_code": None,
    "suppression": None,
    "copy_source": "blocks",
    "replayed": False,
    "mode": "issue",
    "channels": None,
    "prompts": {"analyze": "5f2c91d07ab3e864", "draft": "0b7e44c2a91d3f58", "judge": "c19e6a75d2840bf3"},
}

SUPPRESSED: Final = {
    **dict.fromkeys(OFFER),
    "success": False,
    "user_id": "USER_000003",
    "timestamp": "2026-11-22T15:04:05.351207+00:00",
    "recommendation": "suppressed_marketing_opt_out",
    "ml_recommendation": {
        "offer_flag": 1,
        "domain": "Travel",
        "confidence_score": 0.91,
        "pred_version": None,
        "prediction_timestamp": None,
    },
    "run_id": "c2d4e6f8a0b14c3d8e5f7a9b1c2d3e4f",
    "suppression": {
        "reason": "marketing_opt_out",
        "detail": ["marketing_opt_out: the member has not opted in to marketing"],
    },
    "replayed": False,
    "mode": "issue",
}

CALL: Final = {
    "ml_output": {
        "total_users": 2,
        "predictions": [{**PREDICTION, "offer_flag": 1}, {**HELD_BACK, "offer_flag": 1}],
        "processing_time_seconds": 0.8,
    },
    "use_llm_insights": True,
}

POLICY: Final = {
    "policy_id": "holiday_dining_policy",
    "content": "Dining offers between December 20 and January 2 name their blackout dates.",
    "policy_type": "offer",
    "domain": "Dining",
}

LISTED: Final = {
    "id": "dining_offer_policy",
    "type": "offer",
    "domain": "Dining",
    "preview": "# Dining offers [...]",
    "status": "active",
    "version": "1.0.0",
}

_SHA: Final = "5f0c2a91c3a1f6e1e2a1c3ab3e7dd1f1e27b2f6d6b1d2f0c9aae4316e37630e2"

VERSION: Final = {
    **LISTED,
    "status": "file",
    "sha": _SHA,
    "history": [
        {"event": "in_file", "by": "Card Offers Compliance, 2026-01-05", "at": "2026-11-22T15:04:05.348760+00:00"}
    ],
}

_RUN: Final = "0d9f3a52-7b7e-4c58-9b55-5f1a2f0c6b11"

STREAM: Final = """event: metadata
data: {"run_id": "0d9f3a52-7b7e-4c58-9b55-5f1a2f0c6b11"}

event: data
data: {"node": "fetch"}

event: data
data: {"output": {"success": true, "recommendation": "offer_generated", "...": "..."}}

event: end
"""

STREAM_LOG: Final = """event: data
data: {"ops": [{"op": "add", "path": "/streamed_output/-", "value": {"node": "fetch"}}]}

event: end
"""

CHECK: Final = {
    "id": "A1",
    "send_date": "2026-11-23",
    "text": {
        "subject": "8% off at OpenTable Network",
        "body": "Spend $50 or more at OpenTable Network by January 6, 2027 and get an 8% discount. Guaranteed.",
        "cta": "Book now",
    },
    "offer": {
        "offer_type": "discount",
        "reward_value": 8,
        "reward_unit": "percent",
        "minimum_spend": 50,
        "start_date": "2026-11-23",
        "end_date": "2027-01-06",
        "domain": "Dining",
        "merchants": ["OpenTable Network"],
    },
    "member": {"card_type": "Gold", "email_opt_out": False},
}
CHECKED: Final = {
    "id": "A1",
    "verdict": "violate",
    "violations": [
        {
            "policy_id": "UDAAP-01",
            "clause_id": "no_guarantees",
            "severity": "block",
            "message": "The copy guarantees something or hints at approval.",
            "field": "body",
            "quote": "Guaranteed",
            "fix_hint": "Say what the member can do: enroll, spend, earn. Promise no approval and guarantee nothing.",
        }
    ],
    "clauses_run": 154,
    "judge": "skipped",
    "policy_set_sha": "212d6a73760907d6cbc13ea6b26b1f70bfe2c3c90ee21347bae5c9e5338cfd28",
    "unknown": [
        {
            "policy_id": "ECOA-01",
            "clause_id": "no_protected_classes_judged",
            "severity": "block",
            "message": (
                "Could not be evaluated: the judge was not asked, since the draft breaks another clause already. "
                "What the clause guards against: The copy speaks to a person of a protected kind."
            ),
            "field": "",
            "quote": "",
            "fix_hint": "Address the cardmember and nothing else about the person.",
        }
    ],
}

EXAMPLES: Final[dict[tuple[str, str], Example]] = CAMPAIGN_EXAMPLES | {
    ("/", "get"): Example(
        {
            "message": "OfferGraph: from a prediction to a compliant, personalised card offer",
            "version": "0.1.0",
            "docs": "/docs",
            "health": "/health",
        }
    ),
    ("/health", "get"): Example(
        {
            "status": "healthy",
            "version": "0.1.0",
            "config": {
                "model": "smollm2-135m-instruct",
                "judge_model": "none",
                "embedding_model": "all-MiniLM-L6-v2",
                "max_offers_per_month": 3,
                "min_confidence_score": 0.7,
                "domains": ["Travel", "Dining", "Electronics", "Business Services", "Retail", "Entertainment"],
                "copy_mode": "select",
                "policy_set": "e4316e37630e",
            },
            "parts": {"database": "ok", "index": "ok", "model": "ok", "exports_failed": 0},
        }
    ),
    ("/policies", "get"): Example(
        {
            "total_policies": 1,
            "policies": [LISTED],
        }
    ),
    ("/add-policy", "post"): Example(
        {
            "success": True,
            "message": "kept as a draft; it takes effect once a second person approves it",
            "policy_id": "holiday_dining_policy",
            "type": "offer",
            "domain": "Dining",
            "status": "draft",
            "version": "1.0.0",
            "sha": _SHA,
            "note": "no machine clause: judge",
        },
        POLICY,
    ),
    ("/policies/{policy_id}/approve", "post"): Example(
        {
            "success": True,
            "message": "in force: every offer claimed from now on is held to holiday_dining_policy",
            "policy_id": "holiday_dining_policy",
            "version": "1.0.0",
            "sha": _SHA,
            "status": "active",
            "approved_by": "C. Officer",
            "copy_approved": 74,
            "policy_set_sha": "e4316e37630e2ae1ec6a3a0a1f6e1e2a1c3ab3e7dd1f1e27b2f6d6b1d2f0c9aa",
        },
        {"copy_reviewed": True, "sha": _SHA, "listing": _SHA},
    ),
    ("/policies/{policy_id}", "get"): Example(
        {
            **LISTED,
            "sha": _SHA,
            "source": "file",
            "citation": "Partner program rules, dining",
            "brief": "Dining: enrolled restaurants only; at most 4X; a capped amount of purchases. [...]",
            "clauses": [{"id": "dining_multiplier", "kind": "cel", "stage": "terms", "severity": "block"}],
            "content": "---\nid: dining_offer_policy [...]",
        }
    ),
    ("/policies/{policy_id}/versions", "get"): Example({"policy_id": "dining_offer_policy", "versions": [VERSION]}),
    ("/policies/{policy_id}/versions/{sha}", "get"): Example(
        {**VERSION, "content": "---\nid: dining_offer_policy [...]"}
    ),
    ("/compliance/check", "post"): Example(CHECKED, CHECK),
    ("/generate-offer", "post"): Example([OFFER, SUPPRESSED], CALL),
    ("/batch-generate-offers", "post"): Example(
        {"total_batches": 1, "total_predictions": 2, "successful": 1, "failed": 1, "results": [OFFER, SUPPRESSED]},
        [CALL],
    ),
    ("/offer/invoke", "post"): Example(
        {"output": OFFER, "metadata": {"run_id": _RUN, "feedback_tokens": []}}, {"input": PREDICTION}
    ),
    ("/offer/batch", "post"): Example(
        {
            "output": [OFFER, SUPPRESSED],
            "metadata": {
                "run_ids": [_RUN, _RUN],
                "responses": [{"run_id": _RUN, "feedback_tokens": []}, {"run_id": _RUN, "feedback_tokens": []}],
            },
        },
        {"inputs": [PREDICTION, HELD_BACK]},
    ),
    ("/offer/stream", "post"): Example(STREAM, {"input": PREDICTION}),
    ("/offer/stream_log", "post"): Example(STREAM_LOG, {"input": PREDICTION}),
}


def add_examples(schema: dict[str, Any]) -> dict[str, Any]:
    """Put the examples into an OpenAPI document and return it; a stream's reply is text."""
    for (path, method), example in EXAMPLES.items():
        operation = schema["paths"][path][method]
        if example.request is not None:
            operation["requestBody"]["content"]["application/json"]["example"] = example.request
        answer = operation["responses"]["200"]
        if isinstance(example.reply, str):
            answer["content"] = {"text/event-stream": {"example": example.reply}}
        else:
            answer["content"]["application/json"]["example"] = example.reply
    return schema
