"""Offers already issued, judged by an edited policy set: what would fail, what is held, what is recalled."""

import asyncio
import csv
import os
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.errors import CheckViolation

from graph.change_control import PolicyDesk
from graph.deps import Deps
from graph.settings import Settings
from server.commands.copy_view import Desk
from server.commands.reevaluation import Told, Wanted, reevaluate
from tests.conftest import ATTESTED, Decide
from tests.graph.test_deliveries import run, with_channels
from tests.server.commands import Ran, run_here
from tests.tools.policies.written import clause, write_policy
from tools.ledger.holds import hold_reason, mark_sent

ROOT = Path(__file__).parents[2]
FORBIDS = clause("pattern", id="no_card", forbid=[r"\bcard\b"], fields=["body", "terms"], examples={
    "violating": ["Your Card."], "conforming": [{"text": {"body": "Enroll.", "terms": "Terms."}}]})  # fmt: skip
HOLD = Wanted(hold=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the issuer's policies, to edit."""
    folder = tmp_path / "edited"
    shutil.copytree(ROOT / "policies", folder)
    return folder


async def held(deps: Deps, run_id: str) -> str | None:
    return await hold_reason(deps.database, run_id)


def clauses(told: Told) -> dict[str, dict[str, int]]:
    return {name: dict(counts) for name, counts in told.tally.clauses.items()}


async def test_the_same_policies_stop_nothing(deps: Deps, run_one: Decide, settings: Settings, folder: Path) -> None:
    for user_id in ("USER_GOLD", "USER_PLATINUM"):
        assert (await run_one(user_id)).success
    told = await reevaluate(settings, folder, HOLD)
    assert (told.tally.offers, clauses(told), told.tally.held) == (2, {}, 0)
    assert told.set_sha == deps.rulebook.policies.sha


async def test_a_dry_run_names_clause_and_quote_and_changes_nothing(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path
) -> None:
    outcome = await run_one()
    write_policy(folder, FORBIDS)
    told = await reevaluate(settings, folder, Wanted())
    assert clauses(told) == {"house_policy/no_card": {"not sent": 1}}
    assert (told.tally.unsent, told.tally.unknown, told.tally.held, told.files) == (1, 0, 0, 0)
    (line,) = told.examples
    assert (
        line.startswith(f"{outcome.run_id} (") and "house_policy/no_card is broken: It is wrong. (body 'Card')" in line
    )
    assert await held(deps, outcome.run_id) is None
    assert (await run_one()).success


async def test_a_held_offer_leaves_nowhere_until_it_is_released(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path
) -> None:
    outcome = await run_one()
    await deps.exporter.drain()
    exported = list(settings.output_dir.rglob(f"{outcome.run_id}.*"))
    assert len(exported) == 4
    folder_of = exported[0].parent
    write_policy(folder, FORBIDS)
    told = await reevaluate(settings, folder, HOLD)
    assert (told.tally.held, told.files) == (1, 4)
    (folder_of / f"{outcome.run_id}.eml").write_text("left by a run that was cut off")
    told = await reevaluate(settings, folder, HOLD)
    assert (told.tally.held, told.files, list(folder_of.iterdir())) == (0, 1, [])
    again = await run_one()
    assert (again.success, again.recommendation, again.error_code, again.replayed, again.run_id) == (
        False, "generation_failed", "compliance", True, outcome.run_id,
    )  # fmt: skip
    assert again.error is not None and "house_policy/no_card is broken" in again.error
    assert (again.offer, again.email_html, again.applied_policies, again.copy_source) == (None, None, None, None)
    await deps.exporter.drain()
    assert list(settings.output_dir.rglob(f"{outcome.run_id}.*")) == []
    assert await mark_sent(deps.database, [outcome.run_id], datetime.now(UTC)) == frozenset()

    (folder / "house_policy.md").unlink()
    told = await reevaluate(settings, folder, Wanted())
    assert (told.tally.held_before, told.tally.passing_held, told.tally.released) == (1, 1, 0)
    told = await reevaluate(settings, folder, Wanted(release=True))
    assert told.tally.released == 1
    free = await run_one()
    assert (free.success, free.replayed, free.email_html) == (True, True, outcome.email_html)
    assert await mark_sent(deps.database, [outcome.run_id], datetime.now(UTC)) == {outcome.run_id}


async def test_a_version_of_the_ledger_holds_offers_and_lets_none_of_them_go(
    deps: Deps, run_one: Decide, settings: Settings, tmp_path: Path
) -> None:
    outcome = await run_one()
    text = write_policy(tmp_path / "sent", FORBIDS, policy_id="no_card_policy").read_text(encoding="utf-8")
    desk = PolicyDesk(deps.database, deps.rulebook)
    await desk.propose({"content": text}, by="A. Author")
    await desk.approve("no_card_policy", by="C. Officer")
    told = await reevaluate(settings, settings.policies_dir, HOLD)
    assert (clauses(told), told.tally.held) == ({"no_card_policy/no_card": {"not sent": 1}}, 1)
    told = await reevaluate(settings, settings.policies_dir, Wanted(release=True))
    assert (told.tally.passing_held, told.tally.released) == (0, 0)
    assert "no_card_policy/no_card is broken" in (await held(deps, outcome.run_id) or "")
    await desk.retire("no_card_policy", by="C. Officer")
    told = await reevaluate(settings, settings.policies_dir, Wanted(release=True))
    assert (told.tally.released, await held(deps, outcome.run_id)) == (1, None)


async def test_what_was_sent_is_recalled_and_not_held(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    sent, waiting = await run_one("USER_GOLD"), await run_one("USER_PLATINUM")
    moment = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert await mark_sent(deps.database, [sent.run_id, "no-such-run"], moment) == {sent.run_id}
    write_policy(folder, FORBIDS)
    target = tmp_path / "recall.csv"
    told = await reevaluate(settings, folder, Wanted(hold=True, recall=target))
    assert (told.tally.unsent, told.tally.sent, told.tally.held, told.tally.recalled) == (1, 1, 1, 1)
    assert clauses(told) == {"house_policy/no_card": {"not sent": 1, "sent": 1}}
    (row,) = csv.DictReader(target.read_text(encoding="utf-8").splitlines())
    assert (row["run_id"], row["user_id"], row["campaign"], row["domain"]) == (
        sent.run_id,
        "USER_GOLD",
        "online",
        "Travel",
    )
    assert datetime.fromisoformat(row["sent_at"]) == moment
    assert (row["policy_id"], row["clause_id"], row["field"], row["quote"]) == (
        "house_policy",
        "no_card",
        "body",
        "Card",
    )
    assert await held(deps, sent.run_id) is None
    assert await held(deps, waiting.run_id) is not None
    assert (await run_one("USER_GOLD")).success


async def test_what_nobody_can_answer_again_is_unknown_and_told_apart(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path
) -> None:
    outcome = await run_one()
    write_policy(folder, clause("judge"))
    path = folder / "eligibility_policy.md"
    old = "check: member.card_type in offer.eligible_card_types"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, f"{old} && size(offer.eligible_card_types) > 0"), encoding="utf-8")
    told = await reevaluate(settings, folder, Wanted(hold=True, hold_unknown=False))
    assert clauses(told) == {
        "house_policy/a_judge": {"unknown, not sent": 1},
        "eligibility_policy/card_is_eligible": {"unknown, not sent": 1},
    }
    assert (told.tally.unknown, told.tally.held) == (1, 0)
    told = await reevaluate(settings, folder, HOLD)
    assert told.tally.held == 1
    assert "can't" in str(await held(deps, outcome.run_id)) or "is unknown" in str(await held(deps, outcome.run_id))


async def test_a_clause_on_the_email_is_put_to_the_email_built_again(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path
) -> None:
    await run_one()
    examples = {"violating": [{}], "conforming": [{"message": {"text": "Hello"}}]}
    parts = {"stage": "message", "forbid": ["advertisement"], "fields": ["message_text"], "examples": examples}
    write_policy(folder, clause("pattern", id="no_ad", **parts))
    assert clauses(await reevaluate(settings, folder, Wanted())) == {"house_policy/no_ad": {"not sent": 1}}
    other = settings.model_copy(update={"brand_sender_name": "Example Bank News"})
    told = await reevaluate(other, folder, Wanted())
    assert clauses(told) == {"house_policy/no_ad": {"unknown, not sent": 1}}


async def test_an_interrupted_run_changes_nothing(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    outcome = await run_one()
    write_policy(folder, FORBIDS)

    def interrupt(done: int, total: int) -> None:
        assert (done, total) == (1, 1)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await reevaluate(settings, folder, Wanted(hold=True, recall=tmp_path / "recall.csv"), tell=interrupt)
    assert await held(deps, outcome.run_id) is None
    assert [path.name for path in tmp_path.iterdir() if "recall" in path.name] == []
    assert (await run_one()).success


async def test_an_offer_that_ended_is_left_alone(deps: Deps, run_one: Decide, settings: Settings, folder: Path) -> None:
    await run_one()
    async with deps.database.statement() as connection:
        await connection.execute("update offer set end_date = %s", (date(2020, 1, 1),))
    write_policy(folder, FORBIDS)
    assert (await reevaluate(settings, folder, HOLD)).tally.offers == 0


async def test_a_record_that_can_t_be_read_shows_nothing_to_hold(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path
) -> None:
    outcome = await run_one()
    async with deps.database.statement() as connection:
        await connection.execute("update decision set record = record - 'terms'")
    told = await reevaluate(settings, folder, HOLD)
    assert clauses(told) == {"decision_record/readable": {"unknown, not sent": 1}}
    assert await held(deps, outcome.run_id) is not None


async def test_the_ledger_refuses_an_offer_both_held_and_sent(deps: Deps, run_one: Decide) -> None:
    await run_one()
    for change in ("held_at = now()", "held_reason = 'x'", "held_at = now(), held_reason = 'x', sent_at = now()"):
        with pytest.raises(CheckViolation):
            async with deps.database.statement() as connection:
                await connection.execute(f"update offer set {change}")


async def test_the_same_offer_is_judged_once_for_all_who_got_it(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tools.policies import Gate

    for user_id in ("USER_GOLD", "USER_PLATINUM"):
        await run_one(user_id)
    asked: list[Any] = []
    check = Gate.check
    monkeypatch.setattr(Gate, "check", lambda self, subject, **k: asked.append(subject) or check(self, subject, **k))
    told = await reevaluate(settings, folder, Wanted())
    distinct = {tuple(subject.text.values()) for subject in asked}
    assert (told.tally.offers, len(asked)) == (2, len(distinct))


async def test_the_command_shows_the_table_and_writes_only_when_told(
    deps: Deps, run_one: Decide, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    outcome = await run_one()
    write_policy(folder, FORBIDS)
    env = {
        "DATABASE_URL": settings.database_url.get_secret_value() if settings.database_url else "",
        "DATA_DIR": str(settings.data_dir),
        "OUTPUT_DIR": str(settings.output_dir),
        "ATTESTATIONS": ATTESTED,
        "COLUMNS": "160",
    }

    def impact(*arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "-m", "server.cli", "policies", "impact", "--policies", str(folder), *arguments],
            capture_output=True, text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return " ".join(ran.stdout.split())

    told = await asyncio.to_thread(impact)
    assert "house_policy/no_card 1 0 0 0" in told and "nothing was held; --hold holds" in told
    assert await held(deps, outcome.run_id) is None
    assert "held now: 1" in await asyncio.to_thread(impact, "--hold")
    assert await held(deps, outcome.run_id) is not None


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policies", "nowhere"], "--policies: nowhere is no folder"),
        (["--recall", "nowhere/recall.csv"], "--recall: "),
        (["--keep-unknown"], "give --hold too"),
    ],
)
def test_the_command_refuses_what_it_can_t_do(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run_here(capsys, monkeypatch, "policies", "impact", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert said in ran.err


async def test_a_version_ever_in_force_can_be_compared_by_its_hash(
    deps: Deps, settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await deps.database.pool()  # notes the policies in force
    policy = deps.rulebook.policies.get("dining_offer_policy")
    assert policy is not None and settings.database_url is not None
    monkeypatch.setenv("DATABASE_URL", settings.database_url.get_secret_value())
    monkeypatch.setenv("POLICIES_DIR", str(folder))
    monkeypatch.setenv("COLUMNS", "160")
    path = folder / "dining_offer_policy.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("max_multiplier: 4", "max_multiplier: 3"), encoding="utf-8"
    )
    (folder / "SEC-01.md").unlink()

    def diff(sha: str) -> Ran:
        return run_here(capsys, monkeypatch, "policies", "diff", sha)

    ran = await asyncio.to_thread(diff, policy.sha[:12])
    assert (ran.code, "limit max_multiplier: 4 -> 3" in ran.told, "SEC-01" in ran.told) == (0, True, False)
    unknown = await asyncio.to_thread(diff, "0" * 12)
    assert (unknown.code, "no set and no policy of this hash" in unknown.err) == (1, True)


async def test_an_offers_other_messages_are_judged_with_it_and_a_hold_stops_all_of_it(
    deps: Deps, settings: Settings, folder: Path
) -> None:
    plain = with_channels(deps)
    ours = with_channels(deps, "push", "sms", "in_app")
    alone, outcome = await run(plain, "USER_PLATINUM"), await run(ours)
    assert outcome.channels is not None and outcome.channels.sms is not None and outcome.channels.left_out == ()
    told = await reevaluate(settings, folder, HOLD)
    assert (told.tally.offers, clauses(told)) == (2, {})
    forbids = clause("pattern", id="no_total", forbid=[r"\bin total\b"], fields=["body"], examples={
        "violating": ["Spend $5 in total."], "conforming": ["Spend $5."]})  # fmt: skip
    write_policy(folder, forbids, scope={"delivery": ["sms"]}, brief="")
    told = await reevaluate(settings, folder, HOLD)
    assert clauses(told) == {"house_policy/no_total": {"not sent": 1}}
    assert await held(deps, alone.run_id) is None
    reason = await held(deps, outcome.run_id)
    assert reason is not None and "is broken: in the sms message: It is wrong. (body 'in total')" in reason
    again = await run(ours)
    assert (again.recommendation, again.channels, again.email_html) == ("generation_failed", None, None)


async def test_texts_of_another_wording_leave_what_was_judged_on_the_day_as_it_was(
    deps: Deps, settings: Settings, folder: Path
) -> None:
    """A judge clause that says the same keeps what it said of a message which today's texts don't make any more."""
    assert (await run(with_channels(deps, "push", "sms", "in_app"))).channels is not None
    texts = folder / "delivery" / "texts.yaml"
    texts.write_text(texts.read_text(encoding="utf-8").replace("{issuer}: ", "{issuer}: Hi! "), encoding="utf-8")
    desk = Desk.of_deliveries(folder / "delivery", deps.rulebook.policies)
    desk.record("the tests", date(2026, 11, 28), desk.blocks, ())
    told = await reevaluate(settings, folder, Wanted())
    assert (told.tally.offers, clauses(told)) == (1, {})
