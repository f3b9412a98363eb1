"""Deciding a chunk: each member's offer out of their cohort's draft, written in one transaction."""

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from graph.cohort import CohortDraft
from graph.deps import Deps
from graph.member_offer import (
    Base,
    HeldBack,
    MemberOffers,
    MemberOutcome,
    Moved,
    Offered,
    Refused,
    own_record,
)
from graph.schemas import SUPPRESSED, OfferInput
from graph.stencils import Stencils
from server.campaign.insisting import insisting
from tools.cardmembers import Cardmember, fetch_members
from tools.errors import InputInvalid, OfferGraphError
from tools.ledger.chunks import Chunks, ChunkWork, Item
from tools.ledger.finishing import Written
from tools.ledger.outcomes import Outcome
from tools.screening import Usage

POISON: Final = "the worker died each time it had this item; its log and the process's exit code say why"
STALE: Final = "the member's data changed after the plan, and the draft fits what it was; send the prediction anew"
MOST_DEATHS: Final = 3
"""Workers that may end over one item before it is a dead letter."""

COHORTS: Final = 64
"""Cohorts a worker keeps loaded, about 0.5 MB each."""

_Key = tuple[int, str | None]
"""A cohort, and the cheaper option its members get, if any."""

_logger = logging.getLogger(__name__)


def run_id_of(campaign: str, prediction_key: str) -> str:
    """Return the id of the decision on a campaign's prediction: the same whoever decides it, and how often."""
    return sha256(f"{campaign}\0{prediction_key}".encode()).hexdigest()[:32]


class FanOut:
    """Decides chunks of one campaign: in one thread, one after the other, while others of its chunks read and write."""

    def __init__(self, deps: Deps, chunks: Chunks, *, campaign: str) -> None:
        self._deps, self._chunks, self._campaign = deps, chunks, campaign
        self._offers: OrderedDict[_Key, _Cohort] = OrderedDict()
        self._stencils = Stencils(deps.mailer)
        self._thread = ThreadPoolExecutor(1, "fan-out")

    async def run_chunk(self, work: ChunkWork) -> Written | None:
        """Decide the open items of a claimed chunk and write them; None when it is another's by now.

        May be run again for the same chunk at any time: items that are decided stay as they are. Raises
        PoliciesUnavailable and BudgetCut when the campaign can't go on as planned, DatabaseUnavailable.
        """
        items = await self._chunks.items(work.chunk_no)
        epoch = self._deps.rulebook.epoch
        if work.deaths >= MOST_DEATHS and len(items) == 1:
            return await self._finish(work, [_poisoned(items[0])], epoch)
        members, usages = await asyncio.gather(self._members(items), self._chunks.usages(items))
        cohorts = await self._cohorts({(item.cohort_id, item.option_id) for item in items})
        outcomes = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._decided, items, members, usages, cohorts
        )
        return await self._finish(work, outcomes, epoch)

    async def _finish(self, work: ChunkWork, outcomes: Sequence[Outcome], epoch: int) -> Written | None:
        return await insisting(
            lambda: self._chunks.finish_chunk(work.chunk_no, outcomes, policy_epoch=epoch, attempt=work.attempt)
        )

    def close(self) -> None:
        """Let go of the thread."""
        self._thread.shutdown(cancel_futures=True)

    async def _members(self, items: Sequence[Item]) -> dict[str, Cardmember]:
        pool = await self._deps.database.pool()
        ids = [item.user_id for item in items]
        return await fetch_members(pool, ids, table=self._deps.settings.cardmember_table)

    async def _cohorts(self, keys: AbstractSet[_Key]) -> "dict[_Key, _Cohort]":
        """Return cohorts' offers and records; those of the last chunks are kept, since chunks go by cohort."""
        found = {key: self._offers[key] for key in keys if key in self._offers}
        wanted = list(keys - found.keys())
        for start in range(0, len(wanted), COHORTS):
            missing = wanted[start : start + COHORTS]
            records = await self._chunks.cohort_records({cohort_id for cohort_id, _ in missing})
            if undrafted := [cohort_id for cohort_id, _ in missing if cohort_id not in records]:
                raise InputInvalid(f"cohort {undrafted[0]}: it has no draft, though it is its chunk's turn")
            found |= await asyncio.to_thread(self._loaded, missing, records)
        for key, cohort in found.items():
            self._offers[key] = cohort
            self._offers.move_to_end(key)
        while len(self._offers) > COHORTS:
            self._offers.popitem(last=False)
        return found

    def _loaded(self, keys: Iterable[_Key], records: Mapping[int, dict[str, Any]]) -> "dict[_Key, _Cohort]":
        loaded = {}
        for cohort_id, option_id in keys:
            record = records[cohort_id]
            draft = CohortDraft.of_record(record)
            offers = MemberOffers(draft, self._deps, self._stencils, option_id=option_id)
            loaded[cohort_id, option_id] = _Cohort(offers, Base.of(record))
        return loaded

    def _decided(
        self,
        items: Sequence[Item],
        members: Mapping[str, Cardmember],
        usages: Mapping[str, Usage],
        cohorts: Mapping[_Key, "_Cohort"],
    ) -> list[Outcome]:
        sizes = Counter((item.cohort_id, item.option_id) for item in items)

        def one(item: Item) -> Outcome:
            key = item.cohort_id, item.option_id
            member, usage = members.get(item.user_id), usages[item.prediction_key]
            return self._one(item, member, usage, cohorts[key], alone=sizes[key] == 1)

        return [one(item) for item in items]

    def _one(self, item: Item, member: Cardmember | None, usage: Usage, cohort: "_Cohort", *, alone: bool) -> Outcome:
        if member is None:
            return _outcome(item, usage, "skipped", "user_not_found")
        try:
            found = cohort.offers.decide(
                _prediction(item),
                member,
                usage,
                run_id=run_id_of(self._campaign, item.prediction_key),
                key=item.prediction_key,
                alone=alone,
            )
            return _told(item, usage, found, cohort.base)
        except OfferGraphError as error:
            return _outcome(item, usage, "retry", "error", error_class=error.code, error_text=str(error))
        # A worker must outlive whatever one item does to it: the item is tried again and then told as a dead letter.
        except Exception as error:
            _logger.exception("campaign %s: an item of cohort %d failed", self._campaign, item.cohort_id)
            told = f"an unforeseen fault ({type(error).__name__}), logged by the worker"
            return _outcome(item, usage, "retry", "error", error_class="internal", error_text=told)


@dataclass(frozen=True, slots=True)
class _Cohort:
    """What a worker keeps of a cohort: its members' offers, and what their records are told apart from."""

    offers: MemberOffers
    base: Base


def _prediction(item: Item) -> OfferInput:
    return OfferInput(
        user_id=item.user_id,
        domain=item.domain,  # type: ignore[arg-type]  # checked when the file was taken in, and again here
        confidence_score=item.confidence,
        offer_flag=item.offer_flag,  # type: ignore[arg-type]
        pred_version=item.pred_version,
        prediction_timestamp=item.prediction_timestamp,
        use_llm_insights=item.use_llm,
        idempotency_key=item.idempotency_key,
    )


def _told(item: Item, usage: Usage, found: MemberOutcome, base: Base) -> Outcome:
    match found:
        case Offered():
            return _outcome(
                item,
                usage,
                "done",
                "offer_generated",
                run_id=found.state["run"].run_id,
                cohort_id=item.cohort_id,
                record=own_record(found, base),
                first_name=found.person.first_name,
                email=found.person.email,
                issued=found.issued,
            )
        case HeldBack(holds):
            detail = tuple(f"{reason}: {words}" for reason, words in holds)
            return _outcome(item, usage, "skipped", SUPPRESSED[holds[0][0]], detail=detail)
        case Refused(code, message):
            return _outcome(item, usage, "dead", "generation_failed", error_class=code, error_text=message)
        case Moved():
            return _outcome(item, usage, "dead", "error", error_class="stale_plan", error_text=STALE)


def _outcome(item: Item, usage: Usage, status: Any, recommendation: str, **more: Any) -> Outcome:
    return Outcome(item.prediction_key, item.user_id, item.domain, status, usage, recommendation, **more)


def _poisoned(item: Item) -> Outcome:
    return _outcome(item, Usage(), "dead", "error", error_class="poison", error_text=POISON)
