"""Payloads in a member's row: the outcome, the offer, the report and the prompts are those of a clean member."""

import re
from collections.abc import Callable
from dataclasses import replace
from email import policy
from email.parser import BytesParser
from html import unescape
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
from tests.gate.payloads import payloads, shows
from tests.graph.test_revisions import compose
from tests.judged_policies import REF, approval_of_all, with_judge_clause
from tests.members import add_members
from tests.scripted_model import ScriptedModel
from tools.columns import ALL_COLUMNS, Kind
from tools.email.names import greeting_name

TEXT_COLUMNS = tuple(
    column.name for column in ALL_COLUMNS if column.kind is Kind.TEXT and column.name not in ("user_id", "card_type")
)
"""Every text column but the key and the card's tier, which the table itself holds to a closed set."""
OWN = {"user_id", "run_id", "timestamp", "email_html", "generated_at"}
"""What differs between any two runs."""
LINK = re.compile(r"https://[^\s\"<>]+")
OWN_HEADERS = {"Message-ID", "Date", "List-Unsubscribe"}


@pytest.fixture(scope="module")
def judged_rulebook(tmp_path_factory: pytest.TempPathFactory) -> Rulebook:
    folder = with_judge_clause(tmp_path_factory.mktemp("judged") / "policies")
    named = {"llm_base_url": "http://127.0.0.1:1/v1", "openrouter_model": "scripted", "attestations": ATTESTED}
    ours = load_settings(_env_file=None, policies_dir=folder, **named)
    return load_rulebook(ours, approvals=[approval_of_all(REF)])


def outcome_of(outcome: OfferOutput) -> dict[str, Any]:
    told = outcome.model_dump()
    if told["offer"] is not None:
        told["offer"].pop("generated_at")
    return {name: value for name, value in told.items() if name not in OWN}


def reports_of(record: dict[str, Any]) -> list[Any]:
    return [[report["verdict"], report["results"]] for report in (record["report"], record["message_report"])]


def mail_of(raw: bytes) -> tuple[list[str], dict[str, str]]:
    """Return the header names in order, and the headers that are not the run's own."""
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    assert mail.defects == []
    told = {name: str(value).partition(" boundary=")[0] for name, value in mail.items() if name not in OWN_HEADERS}
    return mail.keys(), told


def neutral(text: str, name: str) -> str:
    return re.sub(r"boundary=\"[^\"]+\"", "", LINK.sub("URL", unescape(text).replace(f"Hi {name},", "Hi Cardmember,")))


@pytest.fixture
def files(settings: Settings) -> Callable[[str, str], bytes]:
    def read(run_id: str, suffix: str) -> bytes:
        path: Path = next(settings.output_dir.rglob(f"{run_id}.{suffix}"))
        return path.read_bytes()

    return read


@pytest.mark.parametrize("mode", ["select", "compose"])
async def test_a_member_made_of_payloads_gets_what_a_clean_one_gets(
    mode: str, deps: Deps, judged_rulebook: Rulebook, script: ScriptedModel, files: Callable[[str, str], bytes]
) -> None:
    script.reply("draft_compose", compose)
    ours = replace(deps, copy_mode=mode, rulebook=judged_rulebook)  # type: ignore[arg-type]
    graph = build_graph(ours)

    async def run(user_id: str) -> tuple[OfferOutput, dict[str, Any]]:
        raw = {"user_id": user_id, "domain": "Travel", "confidence_score": 0.9}
        outcome = await decide(raw, graph, Context(mode="issue"), deadline_s=60)
        record, *_ = await deps.records.read(outcome.run_id) or ({},)
        return outcome, record

    clean = dict.fromkeys(TEXT_COLUMNS, "Unlisted") | {"name": None, "email": None, "card_type": "Gold"}
    await add_members(deps.database, "USER_CLEAN", **clean)
    control, recorded = await run("USER_CLEAN")
    assert control.recommendation == "offer_generated"
    assert control.copy_source == ("blocks" if mode == "select" else "model")
    assert script.steps().count("judge") == (mode == "compose")
    asked, steps = script.count, [(call["step"], True) for call in recorded["calls"]]
    for payload in payloads():
        await add_members(deps.database, payload.id, card_type="Gold", **dict.fromkeys(TEXT_COLUMNS, payload.text))
    results = {payload: await run(payload.id) for payload in payloads()}
    assert script.count == asked  # every prompt was the control's to the byte: the cache answered
    await deps.exporter.drain()
    headers, own_html = mail_of(files(control.run_id, "eml")), neutral(control.email_html or "", "Cardmember")
    own_raw = files(control.run_id, "eml").decode()
    own_text = neutral(files(control.run_id, "txt").decode(), "Cardmember")
    for payload, (outcome, record) in results.items():
        assert outcome_of(outcome) == outcome_of(control), payload.id
        assert reports_of(record) == reports_of(recorded), payload.id
        assert [(call["step"], call["cached"]) for call in record["calls"]] == steps, payload.id
        raw, name = files(outcome.run_id, "eml"), greeting_name(payload.text)
        assert mail_of(raw) == headers, payload.id
        assert re.fullmatch(r"Cardmember|[^\W\d_]+(?:['’-][^\W\d_]+)*", name) and len(name) <= 40
        html, text = outcome.email_html or "", files(outcome.run_id, "txt").decode()
        assert (neutral(html, name), neutral(text, name)) == (own_html, own_text), payload.id
        for shown, own in ((html, own_html), (text, own_text), (raw.decode(), own_raw)):
            assert not shows(payload, shown) or shows(payload, own), payload.id
