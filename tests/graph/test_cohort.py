"""One draft for a cohort: the prompts of a single request, the same loop, and no member anywhere."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from graph.cohort import CohortDraft, CohortDrafter, changed, draft_cohort, versions_of
from graph.cohort_graph import build_cohort_graph
from graph.cohort_state import CohortState
from graph.context import Context
from graph.deps import Deps
from graph.recorded_prompts import recorded_prompts
from graph.settings import Settings
from graph.trace import read_trace
from tests.conftest import Decide
from tests.graph.cohorts import SENT_AT, VIEW, asked, with_clause
from tests.graph.test_revisions import BODY, compose
from tests.scripted_model import Call, PlainText, ScriptedModel, Status, entry, judged
from tests.tools.policies.written import clause
from tools.chat.calls import ModelCall
from tools.errors import InputInvalid, ModelUnavailable
from tools.views import MemberView, TenureBand

UNGROUNDED = BODY + " It takes 77 seconds."
"""A body with a number that is none of the terms': only a clause that reads the member too finds it."""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"copy_mode": "compose", "llm_timeout_s": 3.0})


async def test_the_prompts_are_byte_for_byte_those_of_a_single_request(
    run_one: Decide, deps: Deps, script: ScriptedModel
) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body=UNGROUNDED), compose])
    outcome = await run_one(context=Context(mode="issue", send_date=date(2026, 12, 1)))
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    calls, requests = [ModelCall.model_validate(call) for call in record["calls"]], script.count
    assert [call.step for call in calls] == ["analyze_compose", "draft_compose", "draft_compose", "judge"]
    view = MemberView.model_validate(record["view"])
    draft = await draft_cohort(asked(campaign="online", view=view), deps)
    assert [(call.step, call.prompt_sha) for call in draft.calls] == [(call.step, call.prompt_sha) for call in calls]
    assert all(call.cached for call in draft.calls) and script.count == requests
    same = (
        "view",
        "menu",
        "candidates",
        "hypotheses",
        "dropped",
        "draft",
        "terms",
        "terms_text",
        "attempts",
        "policies",
    )
    assert {name: draft.record()[name] for name in same} == {name: record[name] for name in same}
    told = [attempt["told"] for attempt in record["history"]]
    assert [attempt["told"] for attempt in draft.record()["history"]] == told and told[0] and not told[1]


async def test_a_seed_of_its_own_gives_a_cohort_of_one_prompts_of_its_own(deps: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", compose)
    drafter = CohortDrafter(deps)
    drafts = [
        await drafter.draft(asked(seed=seed, key=key * 64))
        for seed, key in (("spring\0a", "a"), ("spring\0b", "b"), (None, "c"), ("spring", "d"))
    ]
    prompts = [tuple(call.prompt_sha for call in draft.calls) for draft in drafts]
    assert len(set(prompts)) == 3 and prompts[2] == prompts[3]
    assert {draft.run.campaign for draft in drafts} == {"spring"}
    assert all(draft.candidates == drafts[0].candidates for draft in drafts)
    for draft in drafts:
        shown = await recorded_prompts(draft.record(), deps)
        assert [prompt.call.step for prompt in shown] == ["analyze_compose", "draft_compose", "judge"]
        assert all(prompt.messages for prompt in shown)


async def test_what_breaks_a_clause_that_reads_members_too_is_sent_back(deps: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body=UNGROUNDED), compose])
    draft = await draft_cohort(asked(), deps)
    assert (draft.source, draft.attempts, draft.failure, draft.loop_end) == ("model", 2, None, None)
    told = draft.history[0].told
    assert told is not None and [(one.policy_id, one.quote) for one in told] == [("GRD-01", "77")]
    assert "77 seconds" in [call.text for call in script.calls if call.step == "draft_compose"][1]
    assert draft.filled is not None and not any("{" in text for text in draft.filled.fields().values())


async def test_after_the_last_revision_approved_copy_speaks(deps: Deps, script: ScriptedModel) -> None:
    words = iter(("Hurry! ", "Last chance! ", "Act now! "))
    script.reply("draft_compose", lambda call: compose(call, body=next(words) + UNGROUNDED))
    draft = await draft_cohort(asked(), deps)
    assert (draft.source, draft.attempts, draft.failure) == ("fallback", 3, None)
    assert draft.loop_end is not None and draft.loop_end.reason == "attempts"
    assert script.steps().count("draft_compose") == 3


async def test_a_reply_in_no_form_is_answered_by_approved_copy(deps: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", PlainText("no"))
    script.reply("analyze_compose", PlainText("no"))
    draft = await draft_cohort(asked(), deps)
    assert (draft.source, draft.attempts, draft.failure) == ("fallback", 0, None)
    assert sorted(note.partition(":")[0] for note in draft.degraded) == ["analyze_llm", "draft"]
    assert [call.error_code for call in draft.calls] == ["model_reply_invalid", "model_reply_invalid"]


async def test_an_endpoint_that_is_away_is_said_and_not_papered_over(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    ours = with_clause(deps, tmp_path, clause("judge"))
    script.reply("draft_compose", compose)
    bands: list[TenureBand] = ["new", "established", "long_standing"]  # other prompts: replies are kept
    for step, band in zip(("judge", "draft_compose", "analyze_compose"), bands, strict=True):
        script.reply(step, Status(401))
        with pytest.raises(ModelUnavailable, match="the endpoint answered 401") as raised:
            await draft_cohort(asked(view=VIEW.model_copy(update={"tenure_band": band})), ours)
        assert type(raised.value) is ModelUnavailable
        assert isinstance(raised.value.call, ModelCall)
        assert (raised.value.call.step, raised.value.call.error_code) == (step, "model_unavailable")


async def test_the_judge_is_asked_for_nobody_and_sends_back(deps: Deps, script: ScriptedModel, tmp_path: Path) -> None:
    script.reply("draft_compose", [lambda call: compose(call, cta="See terms"), compose])

    def strict(call: Call) -> Any:
        guilty = {"shame": ("cta", "See terms")} if 'cta: "See terms"' in call.text else {}
        return judged(call, violations=guilty)

    script.reply("judge", strict)
    ours = with_clause(deps, tmp_path, clause("judge", message="It shames."))
    draft = await draft_cohort(asked(), ours)
    assert (draft.source, draft.attempts, draft.report.judge) == ("model", 2, "ran")
    found = [[r.result for r in attempt.report.results if r.policy_id == "house_policy"] for attempt in draft.history]
    assert found == [["violate"], ["pass"]]
    assert script.steps().count("judge") == 2
    assert [call.step for call in draft.calls].count("judge") == 2


async def test_a_judge_that_answers_nothing_of_use_leaves_no_draft_through(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    script.reply("draft_compose", compose)
    script.reply("judge", {"answers": [entry("q0")]})
    draft = await draft_cohort(asked(), with_clause(deps, tmp_path, clause("judge")))
    assert draft.failure is not None and draft.failure.code == "compliance"
    assert draft.failure.message.startswith("house_policy/a_judge: Could not be evaluated")
    assert draft.loop_end is not None and draft.loop_end.reason == "nothing_to_tell"


async def test_a_cohort_that_nothing_gets_through_for_says_which_clause(
    deps: Deps, script: ScriptedModel, tmp_path: Path
) -> None:
    script.reply("draft_compose", compose)
    ours = with_clause(
        deps, tmp_path, clause(check="has(offer.expiration_days) && offer.expiration_days > 60.0", message="Too short.")
    )
    draft = await draft_cohort(asked(), ours)
    assert draft.failure is not None
    assert (draft.failure.code, draft.failure.message) == ("compliance", "house_policy/a_cel: Too short.")
    assert (draft.option_id, draft.expected_cost_usd, draft.source, draft.terms, draft.filled) == (None,) * 5
    assert draft.draft is not None and draft.draft.source == "fallback"
    assert CohortDraft.of_record(draft.record()) == draft


async def test_a_draft_and_its_record_survive_json_and_bear_the_campaigns_moment(
    deps: Deps, script: ScriptedModel
) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body=UNGROUNDED), compose])
    draft = await draft_cohort(asked(), deps)
    assert (draft.source, draft.attempts) == ("model", 2)  # a month after sent_at, there was time for a re-draft
    assert draft.run.started_at == SENT_AT.timestamp()
    assert (draft.run.run_id, draft.run.campaign, draft.run.campaign_id) == ("cohort-" + "ab" * 12, "spring", 7)
    assert CohortDraft.model_validate_json(draft.model_dump_json()) == draft
    record = draft.record()
    assert CohortDraft.of_record(record) == draft
    trace, unread = read_trace(record)
    assert not unread and trace.view == VIEW and trace.history == draft.history
    assert record["policies"] == [extract.policy_id for extract in draft.policies]
    assert record["versions"]["prompts"] == draft.prompts == deps.rulebook.prompts.used({})


async def test_nothing_of_a_member_is_in_the_state_or_needed(deps: Deps, script: ScriptedModel) -> None:
    script.reply("draft_compose", compose)
    blind: dict[str, Any] = dict.fromkeys(("members", "claims", "records", "money"))
    draft = await draft_cohort(asked(), replace(deps, **blind))
    assert draft.failure is None
    compiled = build_cohort_graph(deps)
    assert compiled.checkpointer is None
    channels = {name for name in compiled.channels if not name.startswith(("__", "branch:"))}
    assert channels == set(get_type_hints(CohortState))
    personal = {"member", "prediction", "user_id", "screening", "analysis", "found", "message", "recorded", "money"}
    assert not channels & personal


async def test_what_changed_since_is_said_by_name_and_what_never_was_is_refused(deps: Deps) -> None:
    with pytest.raises(InputInvalid, match=r"variants\.draft is 'zz': there is no prompts/draft@zz\.md"):
        await draft_cohort(asked(variants={"draft": "zz"}), deps)
    now = versions_of(deps)
    assert changed(now, deps) == []
    assert changed({**now, "model": "older"}, deps) == [
        f"the model changed: model was older, is {deps.model.name}",
    ]
    digest = now["prompts"]["draft"]
    prompts = {**now["prompts"], "draft": "0" * 16, "draft@old": "1" * 16}
    assert changed({**now, "prompts": prompts, "rulebook_sha": "2" * 64}, deps) == [
        f"the prompt draft changed: it was {'0' * 16}, is {digest}",
        f"the prompt draft@old changed: it was {'1' * 16}, it is gone",
    ]
    assert changed({**now, "rulebook_sha": "2" * 64}, deps) == [
        f"another file of policies or prompts changed: rulebook_sha was 222222222222, is {deps.rulebook.sha[:12]}",
    ]
