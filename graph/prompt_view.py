"""The prompts of a run, seen as the model gets them: the graph's own nodes, with a model that is asked nothing.

Nothing is screened, recorded or issued. What stands here is what a run's node builds, since it is that node that runs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any, Final, Literal, get_args

from langgraph.runtime import Runtime

from graph.assembly import Assembled, assemble, scope_of
from graph.case import candidates_of, flight_of, menu_of
from graph.context import Context
from graph.deps import Deps, token_secret
from graph.nodes.analyze_llm import analyze_llm
from graph.nodes.draft import draft
from graph.nodes.fall_back import fall_back
from graph.nodes.retrieve_policies import retrieve_policies
from graph.prompt_redraft import sent_back
from graph.schemas import OfferInput
from graph.state import Hypothesis, OfferState, Run
from tools.chat.calls import Ask, ModelCall, Reply
from tools.chat.model import ChatModel
from tools.errors import DatabaseUnavailable, InputInvalid, ModelReplyInvalid, ModelUnavailable
from tools.judging import ModelJudge, paper_of
from tools.ledger.claims import ONLINE
from tools.policies.schema import JudgeClause
from tools.prompt_files import Part, Prompt, PromptSet
from tools.subject import Subject
from tools.turns import week_of
from tools.views import MemberView
from tools.vocabulary import CopyMode

StepName = Literal["analyze", "draft", "judge"]
STEPS: Final[tuple[StepName, ...]] = get_args(StepName)


@dataclass(frozen=True, slots=True)
class PromptView:
    """One prompt as it would be sent, with the file it came from and what that file was given.

    `parts` are the sections the messages are made of; `notes` say what a run may have had that this one had not.
    """

    prompt: Prompt
    ask: Ask[Any]
    parts: tuple[Part, ...]
    variables: Mapping[str, Any]
    notes: tuple[str, ...]


class Noted(Prompt):
    """A prompt that keeps what it was last given."""

    __slots__ = ("given",)
    given: Mapping[str, Any]

    def parts(self, variables: Mapping[str, Any]) -> tuple[Part, ...]:
        """Fill the template as a prompt does, and note the variables."""
        object.__setattr__(self, "given", variables)
        return Prompt.parts(self, variables)


class Shown(Exception):  # not an error: the end of what was asked for
    """A step is about to ask the model: there is nothing more to see."""

    def __init__(self, ask: Ask[Any]) -> None:
        super().__init__(ask.name)
        self.ask = ask


class Unasked(ChatModel):
    """A model that shows what it would be asked; whoever asks gets no answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def fill(
        self, ask: Ask[Reply], *, deadline_s: float | None = None, keep: bool = True, counted: bool | None = None
    ) -> tuple[Reply, ModelCall]:
        """Show the prompt."""
        raise Shown(ask)


async def prompt_view(
    step: StepName,
    view: MemberView,
    deps: Deps,
    *,
    mode: CopyMode,
    variant: str | None = None,
    asking: bool = False,
    hypotheses: Sequence[str] = (),
    criticised: Mapping[str, str] | None = None,
    day: date | None = None,
) -> PromptView:
    """Return the prompt of a step for members of this view, sent on a day (today) in the campaign `online`.

    A draft that is composed is told `hypotheses`, or with `asking` those the model finds now, or found before: analysis
    asks it as a run does. With `criticised`, a clause for each part, it is the prompt of a re-draft of approved copy.
    Raises InputInvalid for a variant, part or clause that isn't there, and where no model would be asked.
    """
    prompts = deps.rulebook.prompts
    name = step if variant is None else f"{step}@{variant}"
    if name not in prompts.digests:
        raise InputInvalid(f"prompt is {name!r}: there is none; there are {', '.join(prompts.digests)}")
    noted = Noted(**{item.name: getattr(prompts.named(name), item.name) for item in fields(Prompt)})
    known = {each: prompts.named(each) for each in prompts.digests}
    rulebook = replace(deps.rulebook, prompts=PromptSet({**known, name: noted}))
    shown = replace(deps, rulebook=rulebook, model=Unasked(deps.model.name), copy_mode=mode)
    variants: dict[str, str] = {} if variant is None else {step: variant}
    state, notes = _state(view, shown, variants, day or deps.today()), list[str]()
    state["hypotheses"] = tuple(Hypothesis(text=text, cites=()) for text in hypotheses)
    if step == "judge":
        ask = await _judged(state, noted, shown)
    else:
        if step == "draft":
            notes += await _prepared(state, shown, replace(deps, copy_mode=mode), asking=asking)
            if criticised:
                state.update(await sent_back(state, criticised, _runtime(), shown))  # type: ignore[typeddict-item]
        ask = await _asked(step, state, shown)
    return PromptView(prompts.named(name), ask, Prompt.parts(noted, noted.given), noted.given, tuple(notes))


def _state(view: MemberView, deps: Deps, variants: dict[str, str], day: date) -> OfferState:
    run = Run(
        run_id="prompt-view",
        prediction_key="",
        campaign="online",
        campaign_id=ONLINE,
        mode="preview",
        send_date=day,
        started_at=0,
        deadline_s=deps.settings.run_deadline_s,
        max_revisions=0,
    )
    menu = menu_of(view, deps)
    return OfferState(
        prediction=OfferInput(user_id="nobody", domain=view.domain, confidence_score=1.0),
        run=run,
        view=view,
        menu=menu,
        candidates=candidates_of(view, menu, flight_of(run), deps),
        week=week_of(day),
        use_llm=True,
        variants=variants,
        hypotheses=(),
        policies=(),
        feedback=(),
        criticised=(),
        history=[],
        draft=None,
        attempts=0,
        deadline_at=0.0,
    )


async def _prepared(state: OfferState, shown: Deps, deps: Deps, *, asking: bool) -> Sequence[str]:
    """Give the state what retrieval and analysis give a draft; return what is missing, and why."""
    found = await retrieve_policies(state, deps=shown)  # type: ignore[arg-type]  # it reads its part of the state
    state["policies"] = found["policies"]
    if shown.copy_mode == "select":
        return ()  # a draft that chooses sees neither prose nor hypotheses
    notes = [f"without the policies' prose: {why}" for why in found["degraded"]]
    if state["hypotheses"]:
        return notes
    if not asking:
        return [*notes, "without hypotheses: analysis is a model's, and none was asked"]
    try:
        analysed = await analyze_llm(state, _runtime(), deps=deps)  # type: ignore[arg-type]
    except (ModelUnavailable, ModelReplyInvalid, DatabaseUnavailable) as error:
        return [*notes, f"without hypotheses: {error}"]
    state["hypotheses"] = analysed["hypotheses"]
    return notes


async def _asked(step: Literal["analyze", "draft"], state: OfferState, deps: Deps) -> Ask[Any]:
    node: Any = analyze_llm if step == "analyze" else draft
    try:
        await node(state, _runtime(), deps=deps)
    except Shown as shown:
        return shown.ask
    raise InputInvalid(f"no model is asked for this re-draft: in {deps.copy_mode}, code chooses the criticised texts")


async def _judged(state: OfferState, prompt: Prompt, deps: Deps) -> Ask[Any]:
    """Ask every judge clause in scope about the approved copy that would speak for the menu's cheapest option."""
    proposal = (await fall_back(state, _runtime(), deps=deps))["draft"]
    option = state["menu"].option(proposal.option_id)
    offer = None if option is None else assemble(state, proposal, option, deps)
    assert isinstance(offer, Assembled)  # approved copy can always be an offer
    subject = Subject(
        text={str(name): text for name, text in offer.copy.fields().items()} | {"terms": offer.terms_text},
        offer=offer.terms.facts(),
        send_date=state["run"].send_date,
        scope=scope_of(offer.terms, state),
    )
    clauses = tuple(
        clause
        for clause in deps.rulebook.policies.clauses(subject.scope, ("member", "terms", "copy"))
        if isinstance(clause.clause, JudgeClause)
    )
    judge = deps.judge or ModelJudge.of(deps.model, secret=token_secret(deps.settings))
    return paper_of(subject, clauses, secret=judge.key).ask(prompt)


def _runtime() -> Runtime[Context]:
    return Runtime(context=Context())
