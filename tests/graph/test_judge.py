"""The judge in the graph: asked where it matters, told to the next draft, and never a way around the gate."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps
from graph.rulebook import Rulebook, load_rulebook
from graph.run import decide
from graph.schemas import OfferOutput
from graph.settings import Settings, load_settings
from tests.conftest import ATTESTED
from tests.graph.test_revisions import BODY, compose
from tests.judged_policies import QUESTION, REF, approval_of_all, with_judge_clause
from tests.members import add_members
from tests.scripted_model import Call, Drop, Hang, PlainText, Reply, ScriptedModel, Status, entry, judged
from tools.errors import PolicyInvalid

Rulebooks = Callable[[bool, bool], Rulebook]
Run = Callable[..., Awaitable[tuple[OfferOutput, dict[str, Any]]]]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    return settings.model_copy(update={"llm_timeout_s": 3.0})


@pytest.fixture(scope="module")
def rulebooks(tmp_path_factory: pytest.TempPathFactory) -> Rulebooks:
    """The issuer's policies and one judge clause more, its copy approved or not, with a judge or without: read once."""
    folder = with_judge_clause(tmp_path_factory.mktemp("judged") / "policies")

    @cache
    def read(approved: bool, judge: bool) -> Rulebook:
        named = {"llm_base_url": "http://127.0.0.1:1/v1", "openrouter_model": "scripted", "attestations": ATTESTED}
        ours = load_settings(_env_file=None, policies_dir=folder, judge_model=None if judge else "none", **named)
        return load_rulebook(ours, approvals=[approval_of_all(REF)] if approved else [])

    return read


@pytest.fixture
def run(deps: Deps, rulebooks: Rulebooks) -> Run:
    """Decide one prediction under these rulebooks; return outcome and record."""

    async def decided(
        *,
        approved: bool = True,
        mode: str = "compose",
        judge: bool = True,
        deadline_s: float = 60,
        user: str = "USER_GOLD",
    ) -> tuple[OfferOutput, dict[str, Any]]:
        ours = replace(
            deps,
            rulebook=rulebooks(approved, judge),
            copy_mode=mode,  # type: ignore[arg-type]
            judge=deps.judge if judge else None,
        )
        raw = {"user_id": user, "domain": "Travel", "confidence_score": 0.9}
        outcome = await decide(raw, build_graph(ours), Context(mode="issue"), deadline_s=deadline_s)
        record, *_ = await deps.records.read(outcome.run_id) or ({},)
        return outcome, record

    return decided


def shaming(report: dict[str, Any]) -> tuple[str, str | None]:
    (result,) = [item for item in report["results"] if item["policy_id"] == "tone_policy"]
    return result["result"], result["error_code"]


async def test_a_written_draft_is_judged_once_and_the_call_is_accounted(run: Run, script: ScriptedModel) -> None:
    script.reply("draft_compose", compose)
    outcome, record = await run()
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "model")
    assert (shaming(record["report"]), record["report"]["judge"]) == (("pass", None), "ran")
    assert script.steps().count("judge") == 1
    (call,) = [call for call in record["calls"] if call["step"] == "judge"]
    assert (call["model"], call["cached"]) == ("scripted", False) and call["input_tokens"] > 0
    assert record["versions"]["judge_model"] == "scripted" and "judge" in record["versions"]["prompts"]


async def test_a_repeat_is_told_again_without_a_judge(run: Run, script: ScriptedModel) -> None:
    script.reply("draft_compose", compose)
    first, _ = await run()
    asked = script.count
    again, _ = await run()
    assert (again.replayed, again.run_id, script.count) == (True, first.run_id, asked)


async def test_a_draft_that_breaks_a_clause_already_is_not_put_to_the_judge(run: Run, script: ScriptedModel) -> None:
    script.reply("draft_compose", [lambda call: compose(call, body="Guaranteed! " + BODY), compose])
    _, record = await run()
    first, second = (attempt["report"] for attempt in record["history"])
    assert (first["verdict"], first["judge"], shaming(first)) == ("violate", "skipped", ("unknown", "judge_not_asked"))
    assert (second["verdict"], second["judge"], shaming(second)) == ("pass", "ran", ("pass", None))
    assert script.steps().count("judge") == 1


async def test_what_the_judge_found_is_told_to_the_next_draft(run: Run, script: ScriptedModel) -> None:
    script.reply("draft_compose", [lambda call: compose(call, cta="See terms"), compose])

    def strict(call: Call) -> Reply:
        guilty = {QUESTION: ("cta", "see TERMS")} if 'cta: "See terms"' in call.text else {}
        return judged(call, violations=guilty)

    script.reply("judge", strict)
    outcome, record = await run()
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "model")
    (broken,) = record["history"][0]["report"]["violations"]
    assert (broken["policy_id"], broken["field"], broken["quote"]) == ("tone_policy", "cta", "See terms")
    second = [call.text for call in script.calls if call.step == "draft_compose"][1]
    assert '[tone_policy/shaming] cta "See terms": It shames. Be kind.' in second


@pytest.mark.parametrize(
    "fault",
    [
        Hang(), Status(500), Status(400), Drop(), PlainText(), "approved", {"answers": []},
        lambda call: {"answers": [entry(name) for name in _names(call)]},
    ],
    ids=["hang", "500", "400", "drop", "page", "approved", "empty", "approves everything"],
)  # fmt: skip
@pytest.mark.parametrize("approved", [True, False])
async def test_without_an_answer_only_approved_copy_leaves(
    run: Run, script: ScriptedModel, fault: Reply, approved: bool
) -> None:
    script.reply("draft_compose", compose)
    script.reply("judge", fault)
    outcome, record = await run(approved=approved)
    first, last = record["history"][0]["report"], record["history"][-1]["report"]
    assert (first["verdict"], first["judge"]) == ("unknown", "unavailable")
    assert shaming(first)[0] == "unknown"
    assert "check_compliance: the judge gave no answer that counts" in record["degraded"]
    if approved:
        assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")
        assert (shaming(last), last["judge"]) == (("approved", None), "approved_copy")
    else:
        assert (outcome.recommendation, outcome.offer) == ("generation_failed", None)
        assert last["verdict"] == "unknown"


def _names(call: Call) -> list[str]:
    from tests.scripted_model import JudgeCall

    return list(JudgeCall(call).questions)


async def test_a_hanging_judge_leaves_the_run_inside_its_deadline(run: Run, script: ScriptedModel) -> None:
    script.reply("draft_compose", compose)
    script.reply("judge", Hang())
    outcome, record = await run(deadline_s=4.0)
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "fallback")
    (call,) = [call for call in record["calls"] if call["step"] == "judge"]
    assert call["error_code"] == "model_unavailable"


@pytest.mark.parametrize("judge", [True, False])
async def test_approved_blocks_ask_no_judge(run: Run, script: ScriptedModel, judge: bool) -> None:
    outcome, record = await run(mode="select", judge=judge)
    assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "blocks")
    assert (shaming(record["report"]), record["report"]["judge"]) == (("approved", None), "approved_copy")
    assert "judge" not in script.steps()


async def test_without_a_judge_a_written_draft_does_not_pass(run: Run, script: ScriptedModel) -> None:
    script.reply("draft_compose", compose)
    outcome, record = await run(judge=False)
    assert outcome.copy_source == "fallback"
    assert record["history"][0]["report"]["judge"] == "unavailable"
    assert shaming(record["history"][0]["report"]) == ("unknown", "judge_unavailable")


def test_copy_that_cannot_speak_without_a_judge_stops_the_start(settings: Settings, tmp_path: Path) -> None:
    folder = with_judge_clause(tmp_path / "policies")
    ours = settings.model_copy(update={"policies_dir": folder})
    load_rulebook(ours)
    alone = ours.model_copy(update={"judge_model": "none"})
    with pytest.raises(PolicyInvalid) as refused:
        load_rulebook(alone)
    blocks = len(load_rulebook(ours).blocks.blocks)
    assert f"copy is not approved for {REF} ({blocks} blocks)" in refused.value.reason
    assert "`offers copy approve --all --by NAME`, or set JUDGE_MODEL" in refused.value.reason
    load_rulebook(alone, approvals=[approval_of_all(REF)])
    with pytest.raises(PolicyInvalid):
        load_rulebook(alone, approvals=[approval_of_all("tone_policy/shaming@0.9.0")])


async def test_a_judge_sees_nothing_of_the_member(run: Run, deps: Deps, script: ScriptedModel) -> None:
    planted = {"name": "Zebulon Quixworth", "location": "Xanadu, ZZ", "segment": "Segmentium", "credit_limit": 98765}
    await add_members(deps.database, "USER_PLANTED_77", card_type="Gold", **planted)
    script.reply("draft_compose", compose)
    await run(user="USER_PLANTED_77")
    (call,) = [call for call in script.calls if call.step == "judge"]
    sent = str(call.body) + str(call.headers)
    for value in ("Zebulon", "Quixworth", "Xanadu", "Segmentium", "98765", "USER_PLANTED"):
        assert value not in sent, value
