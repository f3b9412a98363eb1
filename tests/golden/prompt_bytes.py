"""What each prompt says, byte for byte, in files that reviews read: `python -m tests.golden.prompt_bytes --update`.

A case is a step, a mode and a member's bands; its file under `tests/golden/prompts/` holds the messages as a model gets
them on a fixed day. The policies' prose is left out: which of it is near depends on an embedding model.
"""

import argparse
import asyncio
import difflib
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from graph.case import candidates_of
from graph.deps import Deps, open_deps
from graph.nodes.retrieve_policies import extracts_of
from graph.prompt_view import StepName, prompt_view
from graph.settings import load_settings
from server.commands.prompt_show import view_of
from tools.chat.calls import Ask
from tools.drafting import Brief, draft_ask
from tools.drafts import Copy, Draft
from tools.report import Violation
from tools.turns import week_of
from tools.vocabulary import CopyMode

FOLDER = Path(__file__).parent / "prompts"
DAY = date(2026, 6, 1)
UPDATE = "python -m tests.golden.prompt_bytes --update"


@dataclass(frozen=True)
class Case:
    """One prompt to keep. `told` is what the gate said of a last draft, by field: then it is a re-draft."""

    step: StepName
    mode: CopyMode
    bands: str
    variant: str | None = None
    told: Mapping[str, str] | None = None
    use_hypotheses: bool = False


TRAVEL = "Travel,gold,persuadable,stable,medium,preferred,established"
DINING = "Dining,platinum,sure_thing,increasing,high,preferred,long_standing"
RETAIL = "Retail,basic,lost_cause,decreasing,low,other,new"
ELECTRONICS = "Electronics,gold,persuadable,increasing,low,other,new"
BUSINESS = "Business Services,platinum,persuadable,stable,high,preferred,long_standing"
ENTERTAINMENT = "Entertainment,basic,sure_thing,stable,medium,other,established"
CASES: dict[str, Case] = {
    "analyze_select_travel": Case("analyze", "select", TRAVEL),
    "analyze_select_retail_lost_cause": Case("analyze", "select", RETAIL),
    "analyze_compose_travel": Case("analyze", "compose", TRAVEL),
    "analyze_compose_dining": Case("analyze", "compose", DINING),
    "draft_select_travel": Case("draft", "select", TRAVEL),
    "draft_select_dining": Case("draft", "select", DINING),
    "draft_select_retail": Case("draft", "select", RETAIL),
    "draft_select_electronics": Case("draft", "select", ELECTRONICS),
    "draft_select_redraft": Case("draft", "select", TRAVEL, told={"headline": "UDAAP-06/no_false_urgency"}),
    "draft_compose_travel": Case("draft", "compose", TRAVEL, use_hypotheses=True),
    "draft_compose_dining": Case("draft", "compose", DINING),
    "draft_compose_retail": Case("draft", "compose", RETAIL),
    "draft_compose_electronics": Case("draft", "compose", ELECTRONICS),
    "draft_compose_business": Case("draft", "compose", BUSINESS),
    "draft_compose_entertainment": Case("draft", "compose", ENTERTAINMENT),
    "draft_compose_redraft_body": Case("draft", "compose", TRAVEL, told={"body": "UDAAP-03/conditions_stated"}),
    "draft_compose_redraft_many": Case(
        "draft",
        "compose",
        DINING,
        told={"subject": "FMT-01/lengths", "headline": "UDAAP-06/no_false_urgency", "cta": "GRD-01/numbers_grounded"},
    ),
    "judge_travel": Case("judge", "compose", TRAVEL),
    "judge_retail": Case("judge", "compose", RETAIL),
}  # fmt: skip


async def rendered(deps: Deps) -> dict[str, str]:
    """Return the text of every case's file."""
    found: dict[str, str] = {}
    for name, case in CASES.items():
        ask = _redraft(case, deps) if case.told else await _first(case, deps)
        found[name] = "\n".join(f"=== {role}\n{text}" for role, text in ask.messages) + "\n"
    return found


async def _first(case: Case, deps: Deps) -> Ask[Any]:
    view = view_of(case.bands)
    fitting = [each.text for each in deps.rulebook.hypotheses.applicable(view)] if case.use_hypotheses else []
    shown = await prompt_view(
        case.step, view, deps, mode=case.mode, variant=case.variant, hypotheses=fitting[:3], day=DAY
    )
    return shown.ask


def _redraft(case: Case, deps: Deps) -> Ask[Any]:
    view, rulebook = view_of(case.bands), deps.rulebook
    menu = rulebook.menus.menu_for(view.domain, view.card_type, view.strategy)
    option = menu.options[0]
    text, ids = rulebook.blocks.fallback_copy(
        option, domain=view.domain, strategy=view.strategy, card_type=view.card_type, cohort_hash="golden", week=0
    )
    candidates = candidates_of(view, menu, "golden", deps)
    last = Draft(
        source="blocks" if case.mode == "select" else "model",
        option_id=option.option_id,
        merchant_ids=tuple(merchant.merchant_id for merchant in candidates[:2]),
        text=Copy.model_validate(text.fields()),
        block_ids=ids if case.mode == "select" else None,
    )
    brief = Brief(
        mode=case.mode,
        view=view,
        menu=menu,
        candidates=candidates,
        policies=extracts_of(view, deps),
        hypotheses=(),
        violations=tuple(_violation(field, clause) for field, clause in (case.told or {}).items()),
        excluded=frozenset(ids.values()) if case.mode == "select" else frozenset(),
        cohort=view.digest(),
        week=week_of(DAY),
        last=last,
    )
    return draft_ask(rulebook.prompts.pick("draft", {}), brief, rulebook.blocks)


def _violation(field: str, clause: str) -> Violation:
    policy_id, clause_id = clause.split("/")
    return Violation(
        policy_id=policy_id,
        clause_id=clause_id,
        severity="block",
        message="A message of the gate.",
        field=field,
        quote="words of the draft",
        fix_hint="A hint of the gate.",
    )


def difference(name: str, wanted: str) -> str:
    """Return how a case's prompt differs from its file, as a unified diff; empty when it doesn't."""
    path = FOLDER / f"{name}.txt"
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = difflib.unified_diff(
        kept.splitlines(keepends=True), wanted.splitlines(keepends=True), f"{path.name} as kept", "as it is now"
    )
    return "".join(lines)


async def open_desk(data_dir: Path) -> Deps:
    """Return services that contact nothing: prompts are built of files alone."""
    return await open_deps(load_settings(_env_file=None, data_dir=data_dir, token_secret="of the golden prompts"))


async def _main(update: bool, data_dir: Path) -> int:
    deps = await open_desk(data_dir)
    found = await rendered(deps)
    await deps.aclose()
    changed = {name: told for name, text in found.items() if (told := difference(name, text))}
    for told in changed.values():
        print(told)
    if not update:
        print(
            f"{len(changed)} of {len(found)} prompts differ from their files"
            + (f"; to keep them: {UPDATE}" if changed else "")
        )
        return 1 if changed else 0
    FOLDER.mkdir(exist_ok=True)
    for name in changed:
        (FOLDER / f"{name}.txt").write_text(found[name], encoding="utf-8")
    gone = [path for path in FOLDER.glob("*.txt") if path.stem not in found]
    for path in gone:
        path.unlink()
    print(f"{len(changed)} files written, {len(gone)} removed: read the diff before you commit it")
    return 0


def main() -> None:
    """Compare the prompts with their files, or write the files."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.prompt_bytes", description=main.__doc__)
    parser.add_argument("--update", action="store_true", help="write the files anew; review the diff")
    with tempfile.TemporaryDirectory() as scratch:
        raise SystemExit(asyncio.run(_main(parser.parse_args().update, Path(scratch))))


if __name__ == "__main__":
    main()
