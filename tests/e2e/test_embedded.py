"""Nothing configured: the embedded database, model, embeddings and index do all of it."""

import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import aiohttp
import pytest

from graph.build import build_graph
from graph.case import candidates_of, mandatory_of, menu_of
from graph.context import Context
from graph.deps import NEAREST, Deps, open_deps
from graph.nodes.retrieve_policies import extracts_of
from graph.run import decide
from graph.settings import load_settings
from tests.members import add_members
from tools.analysis import analyze_ask
from tools.draft_replies import LENGTHS
from tools.drafting import Brief, draft_ask
from tools.drafts import Copy, Draft
from tools.embedded.model_server import ensure_model_server
from tools.embedded.parts import parts_status, stop_parts
from tools.report import Violation
from tools.views import MemberView
from tools.vocabulary import CARD_TYPES, COPY_FIELDS, DOMAINS, STRATEGIES, CopyMode

pytestmark = pytest.mark.e2e

BUDGET: dict[CopyMode, int] = {"select": 500, "compose": 1500}
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data folder outside pytest's own, which shuts out the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="offergraph-e2e-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
async def embedded(home: Path, data_dir: Path) -> AsyncIterator[Deps]:
    shutil.copytree(data_dir / "embeddings", home / "data" / "embeddings")
    deps = await open_deps(load_settings(_env_file=None, data_dir=home / "data", output_dir=home / "output"))
    await deps.sync_index()
    yield deps
    await deps.aclose()
    await stop_parts(home / "data")


async def test_twenty_members_get_typed_outcomes_from_the_embedded_parts(embedded: Deps) -> None:
    users = [f"USER_E{number}" for number in range(20)]
    await add_members(embedded.database, *users[:4])
    await add_members(embedded.database, *users[4:10], opt_in_marketing=False)
    await add_members(embedded.database, *users[10:18], offers_sent_this_month=3)
    graph = build_graph(embedded)
    raws = [{"user_id": user, "domain": "Travel", "confidence_score": 0.9} for user in users]
    outcomes = await asyncio.gather(*(decide(raw, graph, Context(mode="issue"), deadline_s=120) for raw in raws))
    got = [outcome.recommendation for outcome in outcomes]
    held = ["suppressed_marketing_opt_out"] * 6 + ["suppressed_monthly_cap"] * 8
    assert got == ["offer_generated"] * 4 + held + ["user_not_found"] * 2
    sources = {outcome.copy_source for outcome in outcomes[:4]}
    assert sources <= {"blocks", "fallback"}
    record, *_ = await embedded.records.read(outcomes[0].run_id) or ({},)
    assert {call["model"] for call in record["calls"]} == {"smollm2-135m-instruct"}


async def test_prompts_keep_to_their_token_budget(embedded: Deps, home: Path) -> None:
    endpoint = await ensure_model_server(home / "data")
    worst: dict[str, int] = {}
    async with aiohttp.ClientSession(endpoint.base_url.removesuffix("v1")) as session:
        for name, text in _prompts(embedded):
            async with session.post("/tokenize", json={"content": text}) as reply:
                worst[name] = max(worst.get(name, 0), len((await reply.json())["tokens"]))
    assert worst["analyze_select"] <= worst["draft_select"] <= BUDGET["select"], worst
    assert worst["analyze_compose"] <= worst["draft_compose"] <= BUDGET["compose"], worst


def _prompts(deps: Deps) -> Iterator[tuple[str, str]]:
    told = [
        Violation(
            policy_id="compliance_policy", clause_id="c", severity="block", message="m" * 120, field="body", quote="q"
        )
    ] * 3
    for mode, domain, card_type, strategy in product(BUDGET, DOMAINS, CARD_TYPES, STRATEGIES):
        view = MemberView(
            domain=domain, card_type=card_type, strategy=strategy, spend_trend="decreasing", engagement="medium",
            domain_interest="preferred", tenure_band="long_standing",
        )  # fmt: skip
        applicable = deps.rulebook.hypotheses.applicable(view)
        menu = menu_of(view, deps)
        mandatory = [policy.id for policy in mandatory_of(view, deps)]
        policies = extracts_of(view, deps, dict.fromkeys(mandatory[:NEAREST], "word " * 80))
        brief = Brief(
            mode=mode, view=view, menu=menu, candidates=candidates_of(view, menu, "online", deps), policies=policies,
            hypotheses=[hypothesis.text for hypothesis in applicable[:3]], violations=told if mode == "compose" else (),
            excluded=frozenset(), cohort=view.digest(),
        )  # fmt: skip
        prompts = deps.rulebook.prompts
        draft = draft_ask(prompts.pick("draft", {}), brief, deps.rulebook.blocks)
        sent_back = replace(brief, last=_last(brief), violations=told)
        again = draft_ask(prompts.pick("draft", {}), sent_back, deps.rulebook.blocks)
        analyze = analyze_ask(prompts.pick("analyze", {}), view, mode=mode, applicable=applicable, cohort=view.digest())
        for ask in (draft, again, analyze):
            yield ask.name, "\n".join(text for _, text in ask.messages)


def _last(brief: Brief) -> Draft:
    """Return a draft as long as the schema lets one be."""
    lengths = {field: LENGTHS[field] for field in COPY_FIELDS}
    return Draft(
        source="model" if brief.mode == "compose" else "blocks",
        option_id=brief.menu.options[0].option_id,
        merchant_ids=tuple(merchant.merchant_id for merchant in brief.candidates[:2]),
        text=Copy.model_validate({field: ("offer " * 200)[:length] for field, length in lengths.items()}),
    )


def test_the_demo_runs_from_nothing_and_again_and_leaves_no_process(home: Path) -> None:
    data = home / "demo"
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
    environment = kept | {"DATA_DIR": str(data), "OUTPUT_DIR": str(home / "demo-output"), "COLUMNS": "200"}

    def demo() -> str:
        command = [sys.executable, "-m", "server.cli", "demo"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first, second = demo(), demo()
    for user in ("USER_000003", "USER_000004", "USER_UNKNOWN", "USER_000005", "USER_000006"):
        assert user in first and user in second
    assert re.search(r"5 predictions in .* 0 of them replayed", first)
    assert re.search(r"5 predictions in .* 5 of them replayed", second)
    assert len(list((home / "demo-output").rglob("*.eml"))) == 2
    asyncio.run(stop_parts(data))
    assert not any(part.running for part in parts_status(data))
