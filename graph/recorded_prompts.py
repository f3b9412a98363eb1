"""The prompts of a recorded run, rendered again and believed only where they hash to what the record noted."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.assembly import BEFORE_MESSAGE, Assembled, assemble, scope_of
from graph.deps import Deps
from graph.nodes.retrieve_policies import extracts_of, retrieve_policies
from graph.state import Attempt, OfferState, PolicyExtract
from graph.trace import Trace, read_trace
from tools.analysis import analyze_ask
from tools.chat.calls import Ask, ModelCall
from tools.draft_parts import opened
from tools.drafting import Brief, draft_ask
from tools.errors import PromptInvalid
from tools.judging import open_clauses
from tools.judging.questions import paper_of
from tools.prompt_files import Prompt
from tools.report import Violation
from tools.subject import Subject
from tools.turns import week_of
from tools.vocabulary import CopyMode

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecordedPrompt:
    """One recorded call with the very messages that were sent, or None and why they can't be shown."""

    call: ModelCall
    prompt: str | None
    """Name and digest of the prompt file."""
    messages: Messages | None
    reason: str = ""


async def recorded_prompts(record: Mapping[str, Any], deps: Deps) -> list[RecordedPrompt]:
    """Render every call's prompt again from the record and the files at hand.

    A prompt is shown only when the hash of all that decided the answer is the recorded one, so that what is shown is
    what was sent, byte for byte. It asks no model. Raises DatabaseUnavailable.
    """
    trace, _ = read_trace(record)
    found: list[RecordedPrompt] = []
    for call in trace.calls:
        step = call.step.partition("_")[0]
        found.append(await _rendered(call, step, trace, record, deps))
    return found


async def _rendered(call: ModelCall, step: str, trace: Trace, record: Mapping[str, Any], deps: Deps) -> RecordedPrompt:
    versions = record.get("versions") or {}
    recorded = {name: sha for name, sha in (versions.get("prompts") or {}).items() if name.partition("@")[0] == step}
    at_hand = {name: sha for name, sha in deps.rulebook.prompts.digests.items() if name.partition("@")[0] == step}
    same = {name: sha for name, sha in at_hand.items() if sha in recorded.values()}
    if not same:
        now = ", ".join(f"{name} {sha}" for name, sha in at_hand.items()) or "none"
        wanted = ", ".join(f"{name} {sha}" for name, sha in recorded.items()) or "a file the record doesn't name"
        return RecordedPrompt(call, None, None, f"it was made from {wanted}; PROMPTS_DIR holds {now}")
    for name, sha in same.items():
        prompt = deps.rulebook.prompts.pick(step, _variant(name))
        try:
            async for ask in _asks(step, prompt, trace, versions, deps):
                if ask.key(call.model) == call.prompt_sha:
                    return RecordedPrompt(call, f"{name} {sha}", tuple((role, text) for role, text in ask.messages))
        except PromptInvalid as error:
            return RecordedPrompt(call, None, None, str(error))
    return RecordedPrompt(call, None, None, _differs(trace, versions, deps))


def _variant(name: str) -> dict[str, str]:
    step, _, variant = name.partition("@")
    return {step: variant} if variant else {}


def _differs(trace: Trace, versions: Mapping[str, Any], deps: Deps) -> str:
    """Say what else may have decided the bytes, where the prompt file is the recorded one."""
    if versions.get("policy_set_sha") != deps.rulebook.policies.sha:
        return "the prompt file is the same, but the policies in force are others than then"
    if any(attempt.told is None for attempt in trace.history):
        return "the prompt file is the same, but a record of an earlier build doesn't hold what the draft was told"
    return "the prompt file is the same, but something else it was rendered from changed since (texts, index, settings)"


async def _asks(
    step: str, prompt: Prompt, trace: Trace, versions: Mapping[str, Any], deps: Deps
) -> AsyncIterator[Ask[Any]]:
    """Yield what the step may have asked in this run."""
    mode: CopyMode = "compose" if versions.get("copy_mode") == "compose" else "select"
    if trace.view is None or trace.run is None or trace.menu is None:
        return
    cohort = f"{trace.seed or trace.run.campaign}\0{trace.view.digest()}"
    if step == "analyze":
        applicable = deps.rulebook.hypotheses.applicable(trace.view)
        yield analyze_ask(prompt, trace.view, mode=mode, applicable=applicable, cohort=cohort)
    elif step == "draft":
        async for policies in _policies(trace, mode, deps):
            for brief in _briefs(trace, mode, policies, cohort):
                if brief.asked:
                    yield draft_ask(prompt, brief, deps.rulebook.blocks)
    elif step == "judge" and deps.judge is not None:
        for attempt in trace.history:
            if (subject := _subject(trace, attempt, deps)) is not None:
                gate = deps.rulebook.gate
                clauses = open_clauses(gate, subject, gate.check(subject, stages=BEFORE_MESSAGE))
                yield paper_of(subject, clauses, secret=deps.judge.key).ask(prompt)


async def _policies(trace: Trace, mode: CopyMode, deps: Deps) -> AsyncIterator[tuple[PolicyExtract, ...]]:
    """Yield the policies as the run may have seen them: with the prose retrieval finds, or (index down) without."""
    assert trace.view is not None  # `_asks` has one
    if mode == "compose":
        yield (await retrieve_policies({"view": trace.view}, deps=deps))["policies"]
    yield extracts_of(trace.view, deps)


def _briefs(trace: Trace, mode: CopyMode, policies: Sequence[PolicyExtract], cohort: str) -> Iterator[Brief]:
    """Yield the brief of every draft there may have been: before the first attempt, and after each."""
    assert trace.view is not None and trace.menu is not None and trace.run is not None
    first = Brief(
        mode=mode,
        view=trace.view,
        menu=trace.menu,
        candidates=trace.candidates,
        policies=policies,
        hypotheses=[hypothesis.text for hypothesis in trace.hypotheses],
        violations=(),
        excluded=frozenset(),
        cohort=cohort,
        week=week_of(trace.run.send_date),
    )
    yield first
    criticised: set[str] = set()
    for attempt in trace.history:
        told = attempt.report.violations if attempt.told is None else attempt.told
        criticised |= _named(attempt, told)
        yield replace(first, violations=told, excluded=frozenset(criticised), last=attempt.draft)


def _named(attempt: Attempt, told: Sequence[Violation]) -> set[str]:
    """Return the blocks that a sent-back draft must not bring again."""
    blocks = attempt.draft.block_ids if attempt.draft is not None and attempt.draft.block_ids else {}
    fields = opened(told)
    return {block_id for field, block_id in blocks.items() if field in fields}


def _subject(trace: Trace, attempt: Attempt, deps: Deps) -> Subject | None:
    """Return what a judge was asked about: the offer of a draft. Its prompt depends on nothing of a member."""
    if attempt.draft is None or trace.menu is None or trace.run is None or trace.view is None:
        return None
    option = trace.menu.option(attempt.draft.option_id)
    if option is None:
        return None
    state: OfferState = {"view": trace.view, "menu": trace.menu, "candidates": trace.candidates, "run": trace.run}
    offer = assemble(state, attempt.draft, option, deps)
    if not isinstance(offer, Assembled):
        return None
    return Subject(
        text={str(name): text for name, text in offer.copy.fields().items()} | {"terms": offer.terms_text},
        offer=offer.terms.facts(),
        send_date=trace.run.send_date,
        scope=scope_of(offer.terms, state),
        member={},
        personal={},
        approved={},
    )
