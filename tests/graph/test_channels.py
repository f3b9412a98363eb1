"""Channels take JSON or models, hold models, and keep plain JSON."""

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from langgraph.channels import LastValue, UntrackedValue
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.graph import END, START, StateGraph
from langgraph.types import Overwrite
from typing_extensions import TypedDict

from graph.channels import Added, Typed
from graph.state import Attempt, OfferState, Run
from tools.chat.calls import ModelCall
from tools.drafts import Copy, Draft
from tools.report import ComplianceReport
from tools.terms import Merchant, OfferTerms

TEXT = Copy(subject="s", preheader="p", headline="h", body="b", cta="c")
DRAFT = Draft(source="model", option_id="o", merchant_ids=("M1", "M2"), text=TEXT)
REPORT = ComplianceReport(
    verdict="unknown", results=(), violations=(), policy_set_sha="0" * 64, stages_run=(), judge="skipped", elapsed_ms=0
)
RUN = Run(
    run_id="r1", prediction_key="k", campaign_id=1, mode="preview", send_date=date(2026, 11, 22), started_at=1.5,
    deadline_s=120, max_revisions=2, campaign="online",
)  # fmt: skip
TERMS = OfferTerms(
    option_id="o", offer_type="statement_credit", reward_value=Decimal("25.00"), reward_unit="usd",
    minimum_spend=Decimal("150.50"), expiration_days=30, requires_enrollment=True, fulfillment_weeks=(6, 8),
    expected_cost_usd=Decimal("3.10"), domain="Travel", start_date=date(2026, 11, 22), end_date=date(2026, 12, 22),
    enroll_by=None, eligible_card_types=("gold",),
    merchants=(
        Merchant(merchant_id="M1", merchant_name="A", merchant_category="x", merchant_type="online"),
        Merchant(merchant_id="M2", merchant_name="B", merchant_category="x", merchant_type="both"),
    ),
)  # fmt: skip


def channel(kind: Any, *values: Any) -> Typed:
    made = Typed(kind, "field")
    for value in values:
        made.update([value])
    return made


def added(kind: Any, *values: Any) -> Added:
    made = Added(kind)
    made.key = "items"
    made.update(values)
    return made


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Draft | None, DRAFT),
        (Draft | None, None),
        (Run, RUN),
        (OfferTerms | None, TERMS),
        (ComplianceReport, REPORT),
        (tuple[str, ...], ("a", "b")),
        (bool, False),
        (float, 1.25),
    ],
    ids=str,
)
def test_a_value_comes_back_from_its_checkpoint_through_json(kind: Any, value: Any) -> None:
    kept = json.loads(json.dumps(channel(kind, value).checkpoint()))
    restored = Typed(kind, "field").from_checkpoint(kept)
    assert restored.get() == value
    assert type(restored.get()) is type(value)
    assert restored.key == "field"


def test_json_becomes_the_model_it_stands_for() -> None:
    assert channel(Draft | None, DRAFT.model_dump(mode="json")).get() == DRAFT
    assert channel(OfferTerms, TERMS.model_dump(mode="json")).get() == TERMS


def test_a_model_is_kept_as_it_is() -> None:
    assert channel(Draft, DRAFT).get() is DRAFT


def test_the_last_value_wins_and_an_empty_step_changes_nothing() -> None:
    made = channel(int, 1, 2)
    assert made.update([]) is False
    assert made.get() == 2


def test_two_values_in_one_step_are_refused() -> None:
    with pytest.raises(InvalidUpdateError):
        Typed(int, "field").update([1, 2])


def test_an_empty_channel_is_empty_after_its_checkpoint() -> None:
    empty = Typed(Draft, "field")
    restored = Typed(Draft, "field").from_checkpoint(empty.checkpoint())
    assert not restored.is_available()
    with pytest.raises(EmptyChannelError):
        restored.get()


def test_a_copy_holds_the_same_and_changes_alone() -> None:
    made = channel(int, 1)
    copied = made.copy()
    copied.update([2])
    assert (made.get(), copied.get()) == (1, 2)
    assert made == LastValue(int)  # LangGraph's test that two schemas agree on a channel


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (Draft | None, "x", "field is 'x': Input should be a valid dictionary or instance of Draft"),
        (Draft, DRAFT.model_dump() | {"source": "nobody"}, "field.source is 'nobody': Input should be 'model',"),
        (Draft, DRAFT.model_dump() | {"extra": 1}, "field.extra is 1: Extra inputs are not permitted"),
        (Draft, {}, "field.option_id Field required"),
        (int, "three", "field is 'three': Input should be a valid integer"),
    ],
    ids=["no draft", "source", "extra", "missing", "number"],
)
def test_a_value_that_does_not_fit_is_refused_by_field_and_value(kind: Any, value: Any, said: str) -> None:
    made = Typed(kind, "field")
    with pytest.raises(InvalidUpdateError) as refused:
        made.update([value])
    assert said in str(refused.value)
    assert not made.is_available()


def test_additions_are_validated_and_kept_in_order() -> None:
    first, second = Attempt(draft=DRAFT, report=REPORT), Attempt(draft=None, report=REPORT)
    made = added(list[Attempt], [first], [second.model_dump(mode="json")])
    assert made.get() == [first, second]
    with pytest.raises(InvalidUpdateError, match=r"items\.0\.report Field required"):
        made.update([[{"draft": None}]])
    with pytest.raises(InvalidUpdateError, match="items is 'zzz': Input should be a valid list"):
        made.update(["zzz"])
    assert made.get() == [first, second]


def test_a_list_starts_empty_and_comes_back_from_its_checkpoint_through_json() -> None:
    assert Added(list[Attempt]).get() == []
    call = ModelCall(step="draft_select", model="m", prompt_sha="0" * 64, elapsed_ms=1.5)
    kept = json.loads(json.dumps(added(list[ModelCall], [call]).checkpoint()))
    restored = added(list[ModelCall]).from_checkpoint(kept)
    assert (restored.get(), restored.key) == ([call], "items")


@pytest.mark.parametrize(
    "whole", [Overwrite(["c"]), {"__overwrite__": ["c"]}, {"type": "__overwrite__", "value": ["c"]}], ids=str
)
def test_overwrite_replaces_the_list(whole: Any) -> None:
    made = added(list[str], ["a"], ["b"])
    made.update([whole])
    assert made.get() == ["c"]


def test_what_overwrites_is_validated_too() -> None:
    with pytest.raises(InvalidUpdateError, match=r"items\.0 is 3: Input should be a valid string"):
        added(list[str], ["a"]).update([{"__overwrite__": [3]}])


def test_a_channel_of_the_state_is_typed_added_or_untracked() -> None:
    graph = StateGraph(OfferState)
    kinds = {name: type(made).__name__ for name, made in graph.channels.items()}
    loose = {name for name, kind in kinds.items() if kind not in ("Typed", "Added", "Untracked")}
    assert loose == {  # what a caller gives; `fetch` validates it as one prediction
        "user_id", "domain", "confidence_score", "offer_flag", "pred_version", "prediction_timestamp",
        "use_llm_insights", "idempotency_key",
    }  # fmt: skip
    untracked = {name for name, kind in kinds.items() if kind == "Untracked"}
    assert untracked == {"member", "recorded", "message", "reply_html"}
    assert {name for name, kind in kinds.items() if kind == "Added"} == {"history", "calls", "degraded"}
    assert all(kinds[name] == "Given" for name in loose)
    assert all(isinstance(graph.channels[name], UntrackedValue) for name in untracked)  # LangGraph knows them by that


class State(TypedDict, total=False):
    draft: Annotated[Draft, Typed]
    calls: Annotated[list[str], Added]


async def test_a_run_reads_models_from_checkpoints_that_hold_none() -> None:
    def write(state: State) -> dict[str, Any]:
        return {"draft": DRAFT, "calls": ["write"]}

    def read(state: State) -> dict[str, Any]:
        assert isinstance(state["draft"], Draft)
        return {"calls": [state["draft"].text.body]}

    saver = InMemorySaver(serde=JsonPlusSerializer(allowed_msgpack_modules=None))
    graph = (
        StateGraph(State).add_node(write).add_node(read).add_edge(START, "write").add_edge("write", "read")
        .add_edge("read", END).compile(checkpointer=saver, interrupt_before=["read"])
    )  # fmt: skip
    config: Any = {"configurable": {"thread_id": "1"}}
    await graph.ainvoke({}, config)
    saved = saver.get_tuple(config)
    assert saved is not None
    assert saved.checkpoint["channel_values"]["draft"] == DRAFT.model_dump(mode="json")
    edited = DRAFT.model_dump(mode="json") | {"text": TEXT.model_dump() | {"body": "edited"}}
    await graph.aupdate_state(config, {"draft": edited})
    end = await graph.ainvoke(None, config)
    assert end["calls"] == ["write", "edited"]
