"""What tests of cohorts ask for."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from graph.cohort import CohortAsk
from graph.deps import Deps
from tests.tools.policies.written import write_policy
from tools.policies import PolicySet, load_policies
from tools.views import MemberView

VIEW: Final = MemberView(
    domain="Travel",
    card_type="gold",
    strategy="persuadable",
    spend_trend="stable",
    engagement="medium",
    domain_interest="preferred",
    tenure_band="established",
)
SENT_AT: Final = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def asked(**changes: Any) -> CohortAsk:
    """Return what is asked for one cohort of the campaign `spring`, changed by field."""
    plain: dict[str, Any] = {
        "campaign": "spring",
        "campaign_id": 7,
        "send_date": date(2026, 12, 1),
        "sent_at": SENT_AT,
        "view": VIEW,
        "use_llm": True,
        "key": "ab" * 32,
    }
    return CohortAsk.model_validate({**plain, **changes})


def with_clause(deps: Deps, folder: Path, *clauses: dict[str, Any], **front: Any) -> Deps:
    """Return the services with one policy more; menus and blocks are not held to it."""
    write_policy(folder, *clauses, **front)
    rulebook = deps.rulebook
    written = load_policies(folder, detectors=rulebook.gate.detectors, run_examples=False)
    policies = PolicySet.of((*rulebook.policies.policies, *written.policies))
    return replace(deps, rulebook=replace(rulebook, policies=policies, gate=replace(rulebook.gate, policies=policies)))
