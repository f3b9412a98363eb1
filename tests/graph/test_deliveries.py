"""The offer in other channels: same terms, same gate, each by itself, and the email none the worse for it."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from graph.build import build_graph
from graph.context import Context
from graph.deliveries import channels_of
from graph.deps import Deps
from graph.rulebook import load_rulebook
from graph.run import decide
from graph.schemas import OfferOutput
from graph.settings import Attestation, Settings
from tests.graph.test_promises import passing_state
from tests.judged_policies import POLICIES, REF, approval_of_all, with_judge_clause
from tests.members import add_members
from tests.tools.policies.written import clause, write_policy
from tools.copy_approvals import Approval
from tools.delivery.messages import Channels
from tools.policies.standard import SEND_DATE

ALL = ("push", "sms", "in_app")
FOREVER = Attestation(by="the tests", until=date.max)
CONSENTS = {"push_consent": FOREVER, "sms_consent": FOREVER}


def with_channels(
    deps: Deps,
    *channels: str,
    consents: dict[str, Attestation] | None = None,
    approvals: Sequence[Approval] = (),
    **settings: object,
) -> Deps:
    """Return the services as they are when these channels are wanted."""
    given = deps.settings.attestations | (CONSENTS if consents is None else consents)
    wanted = {"delivery_channels": channels, "attestations": given, "judge_model": "none", **settings}
    ours = deps.settings.model_copy(update=wanted)
    return replace(deps, settings=ours, rulebook=load_rulebook(ours, approvals=approvals))


async def run(deps: Deps, user_id: str = "USER_GOLD", **context: Any) -> OfferOutput:
    raw = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9}
    return await decide(raw, build_graph(deps), Context(**{"mode": "issue", **context}), deadline_s=60)


async def record_of(deps: Deps, outcome: OfferOutput) -> dict[str, Any]:
    record, *_ = await deps.records.read(outcome.run_id) or ({},)
    return record


async def test_the_reply_the_record_and_the_export_carry_every_channel_and_a_replay_repeats_it(deps: Deps) -> None:
    ours = with_channels(deps, *ALL)
    outcome = await run(ours)
    channels, offer = outcome.channels, outcome.offer
    assert channels is not None and offer is not None
    assert channels.push is not None and channels.sms is not None and channels.in_app is not None
    assert channels.left_out == ()
    assert channels.in_app.terms == offer.terms_and_conditions
    assert channels.sms.text.startswith("Example Bank: ")
    assert {channels.push.link, channels.sms.link, channels.in_app.link} == {channels.push.link}
    record = await record_of(deps, outcome)
    assert [one["channel"] for one in record["deliveries"]] == list(ALL)
    assert {one["report"]["verdict"] for one in record["deliveries"]} == {"pass"}
    assert record["deliveries"][1]["message"] == channels.sms.model_dump()
    await deps.exporter.drain()
    (path,) = deps.settings.output_dir.rglob(f"{outcome.run_id}.json")
    assert Channels.model_validate(json.loads(path.read_text(encoding="utf-8"))["channels"]) == channels
    again = await run(ours)
    assert (again.replayed, again.channels) == (True, channels)
    path.unlink()
    assert (await run(with_channels(deps))).channels == channels  # as recorded, whatever is wanted now


async def test_no_channel_is_made_unless_one_is_wanted_and_none_changes_the_email(deps: Deps) -> None:
    plain = await run(deps)
    wanted = await run(with_channels(deps, *ALL), "USER_PLATINUM")
    assert plain.channels is None and wanted.channels is not None
    assert (await record_of(deps, plain))["deliveries"] == []
    ours, theirs = (one.model_copy(update={"channels": None}).model_dump() for one in (plain, wanted))
    for own in ("user_id", "run_id", "timestamp", "email_html"):
        ours.pop(own), theirs.pop(own)
    ours["offer"].pop("generated_at"), theirs["offer"].pop("generated_at")
    ours["offer"].pop("policy_compliance_notes"), theirs["offer"].pop("policy_compliance_notes")
    assert ours == theirs


@pytest.mark.parametrize(
    ("consents", "left_out"),
    [
        ({}, {"push": "push_consent", "sms": "sms_consent"}),
        ({"push_consent": FOREVER}, {"sms": "sms_consent"}),
        (CONSENTS | {"sms_consent": Attestation(by="x", until=date(2020, 1, 1))}, {"sms": "sms_consent"}),
    ],
)
async def test_without_a_valid_word_for_consent_that_channel_is_left_out_and_the_email_goes(
    deps: Deps, consents: dict[str, Attestation], left_out: dict[str, str]
) -> None:
    outcome = await run(with_channels(deps, *ALL, consents=consents))
    assert outcome.recommendation == "offer_generated" and outcome.email_html is not None
    channels = outcome.channels
    assert channels is not None and channels.in_app is not None
    assert (channels.push is None, channels.sms is None) == ("push" in left_out, "sms" in left_out)
    assert {one.channel: one.reason for one in channels.left_out} == {
        channel: f"nobody attests {name}: name who and until when in ATTESTATIONS" for channel, name in left_out.items()
    }
    record = await record_of(deps, outcome)
    assert {one["channel"]: one["reason"] for one in record["deliveries"] if one["reason"]} == {
        one.channel: one.reason for one in channels.left_out
    }


async def test_a_channel_whose_text_breaks_a_clause_is_left_out_with_the_clause_and_nothing_of_it_is_exported(
    deps: Deps, tmp_path: Path
) -> None:
    folder = tmp_path / "policies"
    shutil.copytree(POLICIES, folder)
    examples = {"violating": ["Spend $50 in total."], "conforming": ["Spend $50."]}
    rule = clause("pattern", id="no_total", forbid=["in total"], examples=examples)
    write_policy(folder, rule, scope={"delivery": ["sms"]}, brief="")
    outcome = await run(with_channels(deps, *ALL, policies_dir=folder))
    assert outcome.recommendation == "offer_generated" and outcome.channels is not None
    (left_out,) = outcome.channels.left_out
    assert (left_out.channel, left_out.reason) == ("sms", "house_policy/no_total: It is wrong.")
    assert outcome.channels.sms is None and outcome.channels.push is not None
    await deps.exporter.drain()
    (path,) = deps.settings.output_dir.rglob(f"{outcome.run_id}.json")
    assert "Reply STOP" not in path.read_text(encoding="utf-8")
    sms = next(one for one in (await record_of(deps, outcome))["deliveries"] if one["channel"] == "sms")
    assert sms["report"]["verdict"] == "violate" and sms["reason"] == left_out.reason


async def test_texts_nobody_approved_for_a_judge_clause_are_left_out_and_approved_copy_goes_by_email(
    deps: Deps, tmp_path: Path
) -> None:
    folder = with_judge_clause(tmp_path / "policies")
    outcome = await run(with_channels(deps, *ALL, policies_dir=folder, approvals=[approval_of_all(REF)]))
    assert outcome.recommendation == "offer_generated" and outcome.channels is not None
    assert [one.channel for one in outcome.channels.left_out] == list(ALL)
    assert all(one.reason.startswith("tone_policy/shaming: Could not be") for one in outcome.channels.left_out)


async def test_no_channel_says_anything_of_the_member(deps: Deps) -> None:
    ours = with_channels(deps, *ALL)
    await add_members(deps.database, "USER_ADA", name="Zanthippe Quux", card_type="Gold", monetary_30d=7431.29)
    own, other = await run(ours, "USER_ADA"), await run(ours, "USER_GOLD")
    assert own.channels == other.channels is not None
    shown = own.channels.model_dump_json() if own.channels else ""
    assert "Zanthippe" not in shown and "USER_ADA" not in shown and own.run_id not in shown


async def test_a_message_that_is_not_what_was_judged_or_not_judged_whole_is_left_out(deps: Deps) -> None:
    ours = with_channels(deps, *ALL)
    state = await passing_state(build_graph(ours), ours)
    channels = channels_of(state, ours)  # type: ignore[arg-type]
    assert channels is not None and channels.left_out == ()
    for index, delivery in enumerate(state["deliveries"]):
        report = delivery.report
        field = "text" if delivery.channel == "sms" else "body"
        bad = [
            {"message": delivery.message.model_copy(update={field: "Get $500. Terms apply."})},
            {"report": report.model_copy(update={"verdict": "unknown"})},
            {"report": report.model_copy(update={"results": report.results[1:]})},
            {"report": report.model_copy(update={"policy_set_sha": "0" * 64})},
            {"report": None},
            {"message": None},
        ]
        for change in bad:
            deliveries = list(state["deliveries"])
            deliveries[index] = delivery.model_copy(update=change)
            told = channels_of(state | {"deliveries": tuple(deliveries)}, ours)  # type: ignore[arg-type]
            assert told is not None and getattr(told, delivery.channel) is None, (delivery.channel, change)
            assert [one.channel for one in told.left_out] == [delivery.channel]


async def test_a_preview_shows_channels_and_a_held_back_member_gets_none(deps: Deps) -> None:
    ours = with_channels(deps, *ALL)
    shown = await run(ours, mode="preview")
    assert shown.channels is not None and shown.channels.sms is not None
    await add_members(deps.database, "USER_OUT", opt_in_marketing=False)
    assert (await run(ours, "USER_OUT")).channels is None


async def test_what_only_another_channel_asks_a_person_for_holds_no_member_back(deps: Deps) -> None:
    assert deps.unattested(SEND_DATE) == ()
    assert not deps.attested("sms_consent", SEND_DATE)


def test_channels_unset_are_all_three_when_embedded_and_none_with_a_database_of_ones_own(settings: Settings) -> None:
    embedded = settings.model_copy(update={"database_url": None})
    assert (settings.effective_delivery_channels, embedded.effective_delivery_channels) == ((), ALL)
