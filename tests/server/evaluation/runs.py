"""Made-up runs of a golden set with known properties."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from server.evaluation.records import AttemptResult, CaseResult, Manifest
from tools.chat.calls import ModelCall
from tools.drafts import Copy, Draft
from tools.prices import Prices

AT = datetime(2026, 5, 4, 14, tzinfo=UTC)
PRICES = Prices(input_usd=2.0, output_usd=8.0, cached_usd=0.5)
CLAUSE = "UDAAP-12/savings-claim"


@dataclass(frozen=True)
class Run:
    manifest: Manifest
    results: tuple[CaseResult, ...]


def manifest(**changes: Any) -> Manifest:
    given: dict[str, Any] = {
        "eval_id": "e-1",
        "prompt": "draft",
        "digests": {"draft": "a" * 64, "analyze": "c" * 64},
        "model": "vendor/model-1",
        "endpoint": "configured",
        "copy_mode": "compose",
        "golden_sha": "1" * 64,
        "policy_set_sha": "2" * 64,
        "cases": 1,
        "repeat": 1,
        "started_at": AT,
        "finished_at": AT,
    }
    return Manifest.model_validate(given | changes)


def draft(body: str = "Earn {offer_value} at {merchants} until {expiry_date}.", **changes: Any) -> Draft:
    text = Copy(subject="Dine for more", preheader="More", headline="More at dinner", body=body, cta="Enroll now")
    return Draft(
        source=changes.pop("source", "model"),
        option_id="opt-1",
        merchant_ids=("m-1", "m-2"),
        text=text.model_copy(update=changes),
    )


def call(**changes: Any) -> ModelCall:
    return ModelCall.model_validate(
        {"step": "draft", "model": "vendor/model-1", "attempts": 1, "input_tokens": 1000, "output_tokens": 100}
        | changes
    )


def passing(text: Draft | None = None) -> AttemptResult:
    return AttemptResult(draft=text or draft(), verdict="pass")


def failing(*clauses: str, text: Draft | None = None) -> AttemptResult:
    return AttemptResult(draft=text or draft(), verdict="violate", violations=clauses or (CLAUSE,))


def result(case_id: str = "c-001", repeat: int = 0, *attempts: AttemptResult, **changes: Any) -> CaseResult:
    given: dict[str, Any] = {
        "case_id": case_id,
        "repeat": repeat,
        "prompt_sha": f"sha-{case_id}",
        "recommendation": "offer_generated",
        "copy_source": "model",
        "attempts": attempts or (passing(),),
        "copy_text": {"body": "Earn 3X points at cafes until June 30. Enroll today.", "subject": "Dine for more"},
        "calls": (call(),),
        "elapsed_ms": 1000.0,
    }
    return CaseResult.model_validate(given | changes)


def run(results: Sequence[CaseResult], **changes: Any) -> Run:
    cases = len({one.case_id for one in results})
    return Run(manifest(cases=cases, **changes), tuple(results))


def of_outcomes(passed: np.ndarray, *, failed: Callable[[], AttemptResult] = failing, **changes: Any) -> Run:
    """Return a run whose first drafts pass where the matrix of cases by repeats says 1; the others pass later."""
    results = [
        result(
            f"c-{case:03d}",
            repeat,
            *((passing(),) if passed[case, repeat] else (failed(), passing())),
            calls=(call(),) if passed[case, repeat] else (call(), call()),
        )
        for case in range(passed.shape[0])
        for repeat in range(passed.shape[1])
    ]
    return run(results, repeat=passed.shape[1], **changes)
