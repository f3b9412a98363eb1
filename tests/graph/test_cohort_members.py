"""What a cohort's draft passes for nobody, each member's own clauses decide for the member: no more and no less."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as property_settings
from hypothesis import strategies as st

from graph.assembly import Assembled, assemble, personal_of, subject_of_nobody
from graph.case import case_of
from graph.cohort import CohortDraft, draft_cohort
from graph.deps import Deps
from graph.judging import ruled
from graph.run_prompts import prompt_of
from graph.schemas import OfferInput
from graph.state import OfferState
from tests.gate.test_for_member import FACTS, PERSONAL
from tests.graph.cohorts import asked
from tests.graph.test_revisions import compose
from tests.scripted_model import Call, PlainText, ScriptedModel, sample
from tools.cardmembers import Cardmember
from tools.copy_blocks import Block
from tools.report import SATISFIED, ComplianceReport
from tools.screening import Usage
from tools.subject import Subject
from tools.terms import MenuOption
from tools.views import MemberView


@pytest.fixture
def credits(deps: Deps, script: ScriptedModel) -> list[MenuOption]:
    """The statement credits of the cohort's menu, dearest first; the model always chooses that one."""
    menu = deps.rulebook.menus.menu_for("Travel", "gold", "persuadable")
    found = [option for option in menu.options if option.offer_type == "statement_credit"]
    dearest = sorted(found, key=lambda option: -option.expected_cost_usd)
    assert len(dearest) >= 2

    def choose(call: Call) -> Any:
        assert call.schema is not None
        answers = (sample(call.schema, key=str(turn)) for turn in count())
        return next(answer for answer in answers if answer["choice"]["option_id"] == dearest[0].option_id)

    script.reply("draft_select", choose)
    script.reply("draft_compose", lambda call: compose(call) | {"option_id": dearest[0].option_id})
    return dearest


def in_mode(deps: Deps, mode: str) -> Deps:
    return replace(deps, copy_mode=mode)  # type: ignore[arg-type]


def state_of(draft: CohortDraft) -> OfferState:
    fields = ("view", "menu", "candidates", "run", "variants", "prompts")
    return cast(OfferState, {name: getattr(draft, name) for name in fields})


def nobody(draft: CohortDraft, deps: Deps) -> Subject:
    assert draft.terms is not None and draft.filled is not None and draft.draft is not None
    offer = Assembled(draft.terms, draft.filled, draft.terms_text)
    return subject_of_nobody(state_of(draft), draft.draft, offer, deps)


async def member_facts(draft: CohortDraft, deps: Deps) -> tuple[dict[str, object], dict[str, object]]:
    """Return what the gate sees of a member of the cohort who may get any offer."""
    member = await deps.members.load("USER_GOLD")
    assert isinstance(member, Cardmember)
    prediction = OfferInput(user_id="USER_GOLD", domain="Travel", confidence_score=0.9)
    state = cast(OfferState, {**state_of(draft), "prediction": prediction})
    return dict(case_of(state, member, Usage(), deps).facts()), personal_of(member)


def own_clauses_hold(report: ComplianceReport) -> bool:
    own = [one for one in report.results if "member" in one.depends_on and one.severity != "warn"]
    return all(one.result in SATISFIED for one in own)


async def drafted(deps: Deps, script: ScriptedModel, how: str) -> CohortDraft:
    if how == "fallback":
        script.reply("draft_select", PlainText("no"))
    ask = asked(seed=f"spring\0{how}")  # other prompts: replies are kept
    draft = await draft_cohort(ask, in_mode(deps, "compose" if how == "model" else "select"))
    assert draft.source == how and draft.failure is None
    return draft


async def test_a_member_gets_it_when_their_own_clauses_hold_and_only_then(
    deps: Deps, script: ScriptedModel, credits: list[MenuOption]
) -> None:
    for how in ("model", "blocks", "fallback"):
        await own_clauses_decide(await drafted(deps, script, how), deps)


async def own_clauses_decide(draft: CohortDraft, deps: Deps) -> None:
    gate, shared, seen = deps.rulebook.gate, nobody(draft, deps), Counter[bool]()
    facts, personal = await member_facts(draft, deps)

    @property_settings(max_examples=40, suppress_health_check=list(HealthCheck))
    @given(st.fixed_dictionaries({}, optional=FACTS), st.fixed_dictionaries({}, optional=PERSONAL), st.booleans())
    def decided(other: dict[str, Any], profile: dict[str, Any], sound: bool) -> None:
        theirs = replace(
            shared, member=facts if sound else facts | other, personal=personal | (profile if not sound else {})
        )
        report = gate.for_member(draft.report, theirs)
        holds = own_clauses_hold(gate.check(theirs))
        assert (report.verdict == "pass") is holds
        seen[holds] += 1

    decided()
    assert seen[True] and seen[False]


async def test_the_options_money_may_choose_instead_are_those_of_a_single_request(
    deps: Deps, script: ScriptedModel, credits: list[MenuOption]
) -> None:
    for mode in ("select", "compose"):
        await cheaper_as_online(deps, credits, mode)


async def cheaper_as_online(deps: Deps, credits: list[MenuOption], mode: str) -> None:
    draft = await draft_cohort(asked(), in_mode(deps, mode))
    assert draft.option_id == credits[0].option_id and draft.draft is not None
    expected = []
    for option in credits[1:]:
        state = state_of(draft)
        offer = assemble(state, draft.draft, option, deps)
        if isinstance(offer, tuple):
            continue
        subject = subject_of_nobody(state, draft.draft, offer, deps)
        facts, personal = await member_facts(draft, deps)
        theirs = replace(subject, member=facts, personal=personal)
        ruling = await ruled(theirs, deps, prompt=prompt_of("judge", state, deps), left_s=0, keep=False, ask=False)
        if ruling.report.verdict == "pass":
            expected.append(option.option_id)
    assert [offer.option_id for offer in draft.cheaper] == expected
    assert bool(expected) is (mode == "select")
    costs = [draft.expected_cost_usd, *(offer.expected_cost_usd for offer in draft.cheaper)]
    assert costs == sorted(costs, reverse=True) and len(set(costs)) == len(costs)


async def test_every_menus_approved_copy_gets_through_for_nobody(deps: Deps, script: ScriptedModel) -> None:
    """Else a cohort would have nothing to fall back on that its members have one by one."""
    script.reply("draft_select", PlainText("no"))
    blocks: Callable[[str], Block | None] = deps.rulebook.blocks.get
    for domain, card_type, strategy in deps.rulebook.menus.menus:
        view = MemberView(
            domain=domain,
            card_type=card_type,
            strategy=strategy,
            spend_trend="stable",
            engagement="low",
            domain_interest="other",
            tenure_band="new",
        )
        draft = await draft_cohort(asked(view=view, use_llm=False, key=view.digest()), deps)
        assert (draft.source, draft.failure) == ("fallback", None), view
        assert draft.draft is not None and draft.draft.block_ids
        assert all(blocks(block_id) for block_id in draft.draft.block_ids.values())
