"""Drafting a campaign's cohorts: each prompt once, through the graph's own nodes and gate."""

import asyncio
import logging
from datetime import datetime
from typing import Final

from graph.cohort import CohortAsk, CohortDraft, CohortDrafter
from graph.deps import Deps
from graph.member_offer import Refused, base_of
from server.campaign.insisting import insisting
from server.campaign.spec import Spec
from tools.chat.calls import ModelCall
from tools.errors import DatabaseUnavailable, ModelUnavailable, OfferGraphError
from tools.ledger.cohorts import Cohorts, CohortWork
from tools.ledger.holders import MOST_ATTEMPTS
from tools.views import MemberView

LEASE_MARGIN_S: Final = 30.0
"""A cohort's lease outlives the deadline of its drafting by this much."""

_logger = logging.getLogger(__name__)


class Drafting:
    """Drafts cohorts of one campaign. `sent_at` is the moment its emails carry."""

    def __init__(self, deps: Deps, cohorts: Cohorts, *, campaign_id: int, spec: Spec, sent_at: datetime) -> None:
        self._deps, self._cohorts, self._spec = deps, cohorts, spec
        self._campaign_id, self._sent_at = campaign_id, sent_at
        self._drafter = CohortDrafter(deps)

    @property
    def lease_s(self) -> float:
        """How long a cohort is kept from others if this process ends."""
        return self._deps.settings.run_deadline_s + LEASE_MARGIN_S

    async def draft(self, work: CohortWork) -> bool:
        """Draft a claimed cohort and write what came of it; False when it was given back to be tried later.

        An endpoint that is away or asks for fewer calls charges no attempt. One that answers others and fails this
        cohort does: after the last it gets approved copy, as single requests do. A fault of the cohort's own buries it
        in the end. Raises DatabaseUnavailable.
        """
        try:
            draft = await self._drafter.draft(self._ask(work), without_model=work.attempt > MOST_ATTEMPTS)
            base = None if draft.failure is not None else await asyncio.to_thread(base_of, draft, self._deps)
        except asyncio.CancelledError:
            await asyncio.shield(self._give_back(work, "the worker stopped", charged=False))
            raise
        except DatabaseUnavailable:
            raise
        except ModelUnavailable as error:
            await self._give_back(work, str(error), charged=self._is_of_cohort(error))
            return False
        # A worker must outlive whatever one cohort does to it: it is tried again and then told as a dead letter.
        except Exception as error:
            return await self._failed(work, error)
        return await insisting(lambda: self._written(work, draft, base))

    def _is_of_cohort(self, error: ModelUnavailable) -> bool:
        """Return whether a call of the cohort's failed though the endpoint is there, and wasn't just kept waiting."""
        if self._deps.model.traffic.breaker.is_open:
            return False
        return not isinstance(error.call, ModelCall) or error.call.failures > 0

    async def _written(self, work: CohortWork, draft: CohortDraft, base: object) -> bool:
        record = draft.record()
        if draft.failure is not None:
            return await self._cohorts.bury_cohort(
                work.cohort_id, error_class=draft.failure.code, error_text=draft.failure.message, record=record
            )
        if isinstance(base, Refused):
            return await self._cohorts.bury_cohort(
                work.cohort_id, error_class=base.code, error_text=base.message, record=record
            )
        assert isinstance(base, dict)
        assert draft.option_id is not None and draft.expected_cost_usd is not None and draft.source is not None
        return await self._cohorts.finish_cohort(
            work.cohort_id,
            record=record | base,
            option_id=draft.option_id,
            expected_cost_usd=draft.expected_cost_usd,
            source=draft.source,
        )

    async def _failed(self, work: CohortWork, error: Exception) -> bool:
        foreseen = isinstance(error, OfferGraphError)
        code = error.code if isinstance(error, OfferGraphError) else "internal"
        told = str(error) if foreseen else f"an unforeseen fault ({type(error).__name__}), logged by the worker"
        _logger.error("campaign %s: cohort %d failed", self._spec.name, work.cohort_id, exc_info=error)
        if work.attempt < MOST_ATTEMPTS:
            await self._give_back(work, told, charged=True)
            return False
        return await self._cohorts.bury_cohort(work.cohort_id, error_class=code, error_text=told, record={})

    async def _give_back(self, work: CohortWork, error: str, *, charged: bool) -> None:
        await insisting(lambda: self._cohorts.give_back_cohort(work.cohort_id, charged=charged, error=error))

    def _ask(self, work: CohortWork) -> CohortAsk:
        spec = self._spec
        return CohortAsk(
            campaign=spec.name,
            campaign_id=self._campaign_id,
            send_date=spec.send_date,
            sent_at=self._sent_at,
            view=MemberView.model_validate(work.view),
            variants=work.variants,
            use_llm=work.use_llm,
            key=work.key,
            seed=f"{spec.name}/{work.key}" if spec.personalisation == "individual" else None,
        )
