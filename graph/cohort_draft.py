"""What is asked for a cohort of members, and what comes of it: one draft for all of them, which knows none."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final, Self

from pydantic import AwareDatetime, Field

from graph.state import Attempt, Failure, Hypothesis, LoopEnd, PolicyExtract, Record, Run
from tools.chat.calls import ModelCall
from tools.drafts import Copy, Draft
from tools.report import ComplianceReport
from tools.terms import Menu, Merchant, OfferTerms
from tools.views import MemberView
from tools.vocabulary import CopySource

_KEPT: Final = (
    "seed",
    "run",
    "view",
    "hypotheses",
    "dropped",
    "menu",
    "candidates",
    "draft",
    "history",
    "terms",
    "terms_text",
    "report",
    "calls",
    "degraded",
    "attempts",
    "loop_end",
    "versions",
)
"""What is read from decision records under the same name; the rest stands under `cohort`."""


class CohortAsk(Record):
    """A cohort to draft for: members whose prompts are the same byte for byte.

    `key` names it within the campaign. `sent_at` is the moment all emails of the campaign carry. `variants` are those
    of the prompts, `seed` is what takes turns in place of the campaign's name (None: the name), so that a cohort of one
    member may differ from another of the same view.
    """

    campaign: str
    campaign_id: int
    send_date: date
    sent_at: AwareDatetime
    view: MemberView
    variants: dict[str, str] = Field(default_factory=dict)
    use_llm: bool
    key: str = Field(min_length=1)
    seed: str | None = None


class CheaperOffer(Record):
    """The same draft with a cheaper option of its type. `filled` is the copy greeting the fallback name.

    `report` is the gate's for nobody; no judge was asked.
    """

    option_id: str
    terms: OfferTerms
    filled: Copy
    terms_text: str
    report: ComplianceReport

    @property
    def expected_cost_usd(self) -> Decimal:
        """Return what each one sent is expected to cost."""
        return self.terms.expected_cost_usd


class CohortDraft(Record):
    """What came of drafting for a cohort. JSON both ways.

    With `failure` no draft got through, and what is here says why. Otherwise draft, terms and `filled` (the copy
    greeting the fallback name) are there, and `report`, the gate's of the offer for nobody, passes by
    `Gate.shared_passes`; its verdict is no pass, since of clauses that read the member nobody satisfies all
    (`Gate.for_member` asks them).
    `cheaper` holds the options of the same type that money may choose instead, dearest first. `policies` is what the
    prompt was told of them. `run` names no decision: its id is the cohort's.
    """

    key: str
    seed: str
    use_llm: bool
    variants: dict[str, str]
    prompts: dict[str, str]
    week: int
    run: Run
    view: MemberView
    menu: Menu
    candidates: tuple[Merchant, ...]
    policies: tuple[PolicyExtract, ...]
    hypotheses: tuple[Hypothesis, ...] = ()
    dropped: tuple[str, ...] = ()
    draft: Draft | None = None
    history: tuple[Attempt, ...] = ()
    terms: OfferTerms | None = None
    filled: Copy | None = None
    terms_text: str = ""
    report: ComplianceReport
    calls: tuple[ModelCall, ...] = ()
    degraded: tuple[str, ...] = ()
    attempts: int = 0
    loop_end: LoopEnd | None = None
    cheaper: tuple[CheaperOffer, ...] = ()
    failure: Failure | None = None
    versions: dict[str, Any]

    @property
    def option_id(self) -> str | None:
        """Return the option that is offered; None when nothing is."""
        return self.terms.option_id if self.terms is not None and self.failure is None else None

    @property
    def expected_cost_usd(self) -> Decimal | None:
        """Return what each offer is expected to cost; None when nothing is offered."""
        return self.terms.expected_cost_usd if self.terms is not None and self.failure is None else None

    @property
    def source(self) -> CopySource | None:
        """Return where the copy is from; None when nothing is offered."""
        return self.draft.source if self.draft is not None and self.failure is None else None

    def record(self) -> dict[str, Any]:
        """Return the cohort's part of its members' decision records, as plain JSON; `of_record` reads it back.

        What a decision's record has too is called and laid out as there. What only a cohort has is under `cohort`.
        """
        whole = self.model_dump(mode="json")
        kept = {name: value for name in _KEPT if (value := whole.pop(name)) is not None}
        return {**kept, "policies": [extract.policy_id for extract in self.policies], "cohort": whole}

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> Self:
        """Return the draft that was recorded. Raises ValidationError for a record that is no cohort's."""
        return cls.model_validate({**record.get("cohort", {}), **{n: record[n] for n in _KEPT if n in record}})
