"""A model far too small to write, told to write all the same: nothing it says may leave unless every clause passed."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps, open_deps
from graph.run import decide
from graph.schemas import OfferOutput
from graph.settings import Settings, load_settings
from tests.bench.figures import Figure
from tests.bench.parts import ATTESTED, Parts, Raw, add_cohorts
from tools.policies.gate import covers
from tools.report import SATISFIED, ComplianceReport, Stage
from tools.subject import Scope

DRAFTS: Final = 200
QUICK: Final = 12
AT_ONCE: Final = 2
"""Runs at a time: as many as the embedded model has slots."""
DEADLINE_S: Final = 600.0
SHOWN_CLAUSES: Final = 5
BEFORE_MESSAGE: Final[tuple[Stage, ...]] = ("member", "terms", "copy")


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Let the embedded model compose one draft per member over all domains, issue for real, and read the records.

    Raises AssertionError when an offer left whose own record doesn't show that every clause in scope was satisfied.
    """
    with parts.database() as url:
        deps = await open_deps(_settings(parts, url))
        try:
            raws = await add_cohorts(deps.database, QUICK if quick else DRAFTS, prefix="ADVERSARY")
            outcomes = await _decided(raws, deps)
            records = await _records(deps)
            return _figures(outcomes, records, deps)
        finally:
            await deps.aclose()


def _settings(parts: Parts, url: str) -> Settings:
    return load_settings(
        _env_file=None,
        database_url=url,
        copy_mode="compose",
        max_revisions=0,
        data_dir=parts.folder / "data",
        output_dir=parts.folder / "output",
        attestations=ATTESTED,
        llm_timeout_s=DEADLINE_S,
        run_deadline_s=DEADLINE_S,
    )


async def _decided(raws: Sequence[Raw], deps: Deps) -> list[OfferOutput]:
    graph, slots = build_graph(deps), asyncio.Semaphore(AT_ONCE)

    async def one(raw: Raw) -> OfferOutput:
        async with slots:
            asked = raw | {"use_llm_insights": False}
            return await decide(asked, graph, Context(mode="issue"), deadline_s=DEADLINE_S, deps=deps)

    return await asyncio.gather(*map(one, raws))


async def _records(deps: Deps) -> dict[str, dict[str, Any]]:
    async with deps.database.connection() as connection:
        cursor = await connection.execute("select run_id, record from decision")
        return {run_id: record if isinstance(record, dict) else json.loads(record) async for run_id, record in cursor}


def _figures(outcomes: Sequence[OfferOutput], records: dict[str, dict[str, Any]], deps: Deps) -> list[Figure]:
    firsts = [record["history"][0] for record in records.values() if record.get("history")]
    written = [attempt for attempt in firsts if attempt["draft"] and attempt["draft"]["source"] == "model"]
    verdicts = Counter(attempt["report"]["verdict"] for attempt in written)
    clauses = Counter(
        f"{result['policy_id']}/{result['clause_id']}"
        for attempt in written
        for result in attempt["report"]["results"]
        if result["result"] == "violate"
    )
    sources = Counter(outcome.copy_source or "none" for outcome in outcomes if outcome.success)
    unshown = [
        outcome.run_id for outcome in outcomes if outcome.success and not _is_shown(records[outcome.run_id], deps)
    ]
    assert not unshown, f"offers left without a complete passing report: {unshown}"
    counts = [
        ("members", len(outcomes)),
        ("drafts the model wrote", len(written)),
        ("no readable draft", len(firsts) - len(written)),
        *((f"drafts with verdict {verdict}", verdicts[verdict]) for verdict in ("violate", "unknown", "pass")),
        *((f"  broke {name}", count) for name, count in clauses.most_common(SHOWN_CLAUSES)),
        ("offers in the model's words", sources["model"]),
        ("offers in approved fallback copy", sources["fallback"]),
        ("no offer", sum(not outcome.success for outcome in outcomes)),
    ]
    return [
        *(Figure(what, f"{count}", count) for what, count in counts),
        Figure("offers out whose record lacks a passing clause", f"{len(unshown)}", len(unshown), aim=0),
    ]


def _is_shown(record: dict[str, Any], deps: Deps) -> bool:
    """Tell whether a record's last report has a satisfying result for every clause in scope, block and fix alike."""
    report = ComplianceReport.model_validate(record["report"])
    message = ComplianceReport.model_validate(record["message_report"])
    terms, view = record["terms"], record["view"]
    scope = Scope(
        domain=terms["domain"], card_type=view["card_type"], channel=terms["channel"], offer_type=terms["offer_type"]
    )
    gate = deps.rulebook.gate
    whole = covers(report, gate.required(scope, BEFORE_MESSAGE)) and covers(message, gate.required(scope, ("message",)))
    return whole and all(
        result.result in SATISFIED for result in (*report.results, *message.results) if result.severity != "warn"
    )
