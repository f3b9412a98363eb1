"""Everything wrong with a folder of prompts: as files, before the gate, and at their longest."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final

from graph.case import candidates_of
from graph.nodes.retrieve_policies import extracts_of
from graph.prompt_examples import Desk, example_faults, menu_at
from graph.rulebook import PROMPTS, Rulebook, instructions_of
from graph.settings import Settings, load_settings
from tools.analysis import analyze_ask
from tools.chat.calls import Ask
from tools.draft_brief import Brief
from tools.drafting import draft_ask
from tools.errors import PromptInvalid
from tools.prompt_budget import BUDGET, tokens
from tools.prompt_checks import Fault
from tools.prompt_files import Prompt, lint_files, sound_prompts
from tools.views import MemberView
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES, CopyMode

HYPOTHESES: Final = 3
"""Hypotheses of analysis a draft is told of at most."""
CERTAIN: Final[Mapping[CopyMode, float]] = {"select": 1.3, "compose": 1.0}
"""How far over the budget an estimate must be for a prompt to be too long for certain: lists of ids are overestimated
by up to 30 %, and what the drafting step cuts by the same estimate is held to it as it is."""
MODES: Final[tuple[CopyMode, ...]] = ("select", "compose")


def lint(folder: Path, rulebook: Rulebook, *, settings: Settings | None = None) -> list[Fault]:
    """Return every fault of the prompts in a folder, in the order of files and lines.

    The rulebook's own prompts don't count (`load_rulebook(..., prompted=False)` has none). A file with errors is not
    rendered, and its examples are not put to the gate. CPU work of seconds: every menu there is, in both modes.
    """
    faults = lint_files(folder, needed=PROMPTS)
    prompts = sound_prompts(folder, needed=PROMPTS)
    desk = Desk(settings or load_settings(), replace(rulebook, instructions=instructions_of(prompts, rulebook)))
    for name in prompts.digests:
        prompt = prompts.named(name)
        if prompt.header.name == "judge":
            continue  # its length depends on clauses and copy; DRAFT_TOKEN_BUDGET bounds it
        faults += _at_its_longest(prompt, desk)
        faults += example_faults(prompt, desk) if prompt.header.name == "draft" else ()
    return sorted(dict.fromkeys(faults))


def _at_its_longest(prompt: Prompt, desk: Desk) -> Iterator[Fault]:
    """Yield the first fault of each kind over all menus: what doesn't render, what is too long."""
    told: set[str] = set()
    for mode, domain, card_type, strategy in product(MODES, DOMAINS, CARD_TYPES, STRATEGIES):
        view = MemberView(
            domain=domain,
            card_type=card_type,
            strategy=strategy,
            spend_trend="decreasing",
            engagement="medium",
            domain_interest="preferred",
            tenure_band="long_standing",
        )
        for fault in _faults(prompt, view, mode, desk):
            if fault.code not in told:
                told.add(fault.code)
                yield fault


def _faults(prompt: Prompt, view: MemberView, mode: CopyMode, desk: Desk) -> Iterator[Fault]:
    where = f"{mode}, {view.domain}, {view.card_type}, {view.strategy}"
    first = prompt.sections[0].line
    try:
        ask = _ask(prompt, view, mode, desk)
    except PromptInvalid as error:
        message = f"can't be rendered ({where}): {error.reason}"
        yield Fault(error.path, error.line, 1, "render", message, "use values that are there in every case")
        return
    length = tokens("\n".join(text for _, text in ask.messages))
    if length > BUDGET[mode] * CERTAIN[mode]:
        message = f"takes about {length} tokens at its longest ({where}); allowed: {BUDGET[mode]}"
        remedy = f"cut about {length - round(BUDGET[mode] * CERTAIN[mode])} tokens of its text"
        yield Fault(prompt.path, first, 1, "over-budget", message, remedy)
    if prompt.header.name == "draft" and mode == "compose":
        offered = {option.offer_type for option in menu_at(view, desk).options}
        shown = [held for kind, held in prompt.header.examples.items() if kind in offered]
        text = ask.messages[0][1]
        if any(held.good not in text or held.bad not in text for held in shown):
            message = f"leaves no room for its examples ({where})"
            yield Fault(prompt.path, first, 1, "examples-cut", message, "cut some of the text", "warning")


def _ask(prompt: Prompt, view: MemberView, mode: CopyMode, desk: Desk) -> Ask[Any]:
    applicable = desk.rulebook.hypotheses.applicable(view)
    if prompt.header.name == "analyze":
        return analyze_ask(prompt, view, mode=mode, applicable=applicable, cohort=view.digest())
    menu = menu_at(view, desk)
    texts: Sequence[str] = sorted((hypothesis.text for hypothesis in applicable), key=len)[-HYPOTHESES:]
    brief = Brief(
        mode=mode,
        view=view,
        menu=menu,
        candidates=candidates_of(view, menu, "online", desk.as_deps()),
        policies=extracts_of(view, desk.as_deps()),
        hypotheses=texts,
        violations=(),
        excluded=frozenset(),
        cohort=view.digest(),
    )
    return draft_ask(prompt, brief, desk.rulebook.blocks)
