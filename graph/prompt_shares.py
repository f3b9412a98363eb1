"""Who else's prompt begins as this one does: what a provider's prefix cache can serve, by who fills it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product
from typing import Final, get_args

from graph.deps import Deps
from graph.prompt_view import PromptView, StepName, prompt_view
from tools.prompt_budget import tokens
from tools.views import MemberView
from tools.vocabulary import CopyMode

BANDS: Final = ("spend_trend", "engagement", "domain_interest", "tenure_band")
"""Fields of a view that no menu depends on."""


@dataclass(frozen=True, slots=True)
class Shares:
    """A prompt's tokens in the order they are sent, estimated as `tools.prompt_budget` does.

    `everyone` are the same for every menu, `menu` from there on for every member offered this menu (domain, card type,
    strategy), `member` the rest.
    """

    everyone: int
    menu: int
    member: int


async def prompt_shares(
    shown: PromptView, step: StepName, view: MemberView, deps: Deps, *, mode: CopyMode, variant: str | None = None
) -> Shares:
    """Compare a prompt with those of the same bands on every menu, and of all bands on its menu. About 110 prompts."""

    async def sent(views: Iterator[MemberView]) -> list[Sequence[str]]:
        asks = [(await prompt_view(step, each, deps, mode=mode, variant=variant)).ask for each in views]
        return [[text for _, text in ask.messages] for ask in asks]

    own = [text for _, text in shown.ask.messages]
    total = sum(map(tokens, own))
    menu = beginning([own, *await sent(_of_menu(view))])
    everyone = min(beginning([own, *await sent(_of_every_menu(view, deps))]), menu)
    return Shares(everyone, menu - everyone, total - menu)


def beginning(prompts: Sequence[Sequence[str]]) -> int:
    """Return how many tokens all prompts begin with, message by message."""
    count = 0
    for texts in zip(*prompts, strict=True):
        common = reduce(common_start, texts)
        count += tokens(common)
        if any(text != common for text in texts):
            break
    return count


def common_start(first: str, second: str) -> str:
    """Return what two texts begin with alike."""
    unequal = (at for at, (one, other) in enumerate(zip(first, second, strict=False)) if one != other)
    return first[: next(unequal, min(len(first), len(second)))]


def _of_menu(view: MemberView) -> Iterator[MemberView]:
    values = [get_args(MemberView.model_fields[name].annotation) for name in BANDS]
    for bands in product(*values):
        yield view.model_copy(update=dict(zip(BANDS, bands, strict=True)))


def _of_every_menu(view: MemberView, deps: Deps) -> Iterator[MemberView]:
    for domain, card_type, strategy in deps.rulebook.menus.menus:
        yield view.model_copy(update={"domain": domain, "card_type": card_type, "strategy": strategy})
