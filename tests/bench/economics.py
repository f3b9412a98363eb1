"""What screening and menus by strategy are worth beside giving everybody the best offer, or a random one. Modelled."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from textwrap import fill
from typing import Final

from graph.deps import screening_limits
from graph.rulebook import Rulebook, load_rulebook
from graph.settings import Settings
from tests.bench.figures import Figure
from tests.bench.parts import Parts
from tests.sampled import MEMBERS, SEED, Predicted, sampled
from tools.economics import Basis, Outlook, outlook, use_cost_usd
from tools.sample import PREDICTED_AT
from tools.screening import Case, Limits, Usage, screen
from tools.terms import Menu, MenuOption
from tools.turns import permuted
from tools.views import MemberView
from tools.vocabulary import DOMAINS, STRATEGIES, CardType, Domain

CAMPAIGN: Final = "online"
WIDTH: Final = 118
CHOICE: Final = (
    "Choice of the option: OfferGraph's is the first of the strategy's menu in the order the prompt lists it, which is "
    "what the embedded model takes. The best offer is the one of greatest reward on any strategy's menu of the domain "
    "and card; a random one is the expectation over all of them."
)
NOTE: Final = (
    "Modelled, not measured: every figure follows from the assumptions above, which are planning estimates, and from a "
    "synthetic population. Archetypes are assigned by rule and taken at their word, so the model can't show a member "
    "who is sorted wrongly. It knows no fatigue, consent or law, so whoever screens nobody adds more in it, offer by "
    "offer. It says what the treatment would be worth if the assumptions held; only a holdout can say whether they do."
)


@dataclass
class Arm:
    """One way to treat the population: what it sends, and what that is expected to cost and to add, in USD."""

    name: str
    offers: int = 0
    cost: Decimal = Decimal(0)
    value: Decimal = Decimal(0)
    by_archetype: Counter[str] = field(default_factory=Counter)

    @property
    def net(self) -> Decimal:
        """Value less cost."""
        return self.value - self.cost

    def send(self, expected: Outlook, archetype: str) -> None:
        """Count one offer."""
        self.offers += 1
        self.cost += expected.cost_usd
        self.value += expected.value_usd
        self.by_archetype[archetype] += 1

    def shown(self) -> str:
        """Return the arm as one line."""
        return f"{self.offers:6,} offers, cost ${self.cost:9,.0f}, adds ${self.value:9,.0f}, net ${self.net:9,.0f}"


@dataclass(frozen=True)
class Arms:
    """All ways to treat the same predictions, and why screening held the others back (first reason)."""

    ours: Arm
    ours_at_best: Arm
    best_same: Arm
    random_same: Arm
    best_everyone: Arm
    random_everyone: Arm
    held: Counter[str]

    def all(self) -> tuple[Arm, ...]:
        """Return the arms in the order they are printed."""
        return (
            self.ours, self.ours_at_best, self.best_same, self.random_same, self.best_everyone, self.random_everyone,
        )  # fmt: skip


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Compare the arms on the sample population; print the assumptions first."""
    settings = parts.settings("postgresql://unused", "http://unused")
    rulebook = load_rulebook(settings)
    members = MEMBERS if quick else 10 * MEMBERS
    arms = compare(rulebook, settings, sampled(members))
    print("\n".join(assumptions(rulebook)), flush=True)
    print(f"\nThe sample population: {members:,} members (seed {SEED}), a prediction each.")
    held = ", ".join(f"{reason} {count}" for reason, count in arms.held.most_common())
    print(f"Screening (an empty ledger) held back: {held}.")
    print(fill(CHOICE, WIDTH))
    print(fill(NOTE, WIDTH), flush=True)
    return [Figure(arm.name, arm.shown(), float(arm.net)) for arm in arms.all()] + [
        _ratio("cost", arms.ours.cost, arms.best_same.cost, "the best offer's"),
        _ratio("value", arms.ours.value, arms.best_same.value, "the best offer's"),
        _ratio("net", arms.ours.net, arms.best_same.net, "the best offer's"),
        _ratio("cost", arms.ours.cost, arms.random_same.cost, "a random one's"),
        _ratio("value", arms.ours.value, arms.random_same.value, "a random one's"),
        _ratio("net", arms.ours.net, arms.random_same.net, "a random one's"),
    ]


def compare(rulebook: Rulebook, settings: Settings, predictions: Iterable[Predicted]) -> Arms:
    """Treat every prediction with offer_flag 1 in every way."""
    arms = Arms(
        ours=Arm("OfferGraph (first option of the menu as listed)"),
        ours_at_best=Arm("OfferGraph, if the best net option were chosen"),
        best_same=Arm("best offer, same members"),
        random_same=Arm("random option, same members (expectation)"),
        best_everyone=Arm("best offer for everyone, nobody screened"),
        random_everyone=Arm("random option for everyone, nobody screened"),
        held=Counter(),
    )
    limits = {domain: screening_limits(rulebook.policies, settings, domain) for domain in DOMAINS}
    for one in predictions:
        card_type = one.signals.card_type
        if one.offer_flag == 0 or card_type is None:
            continue
        archetype = one.signals.archetype
        basis = rulebook.menus.assumptions.basis(one.domain, card_type, archetype, version=rulebook.menus.version)
        options = list(_all_options(rulebook, one.domain, card_type))
        best, expected = outlook(_dearest(options, basis), basis), _mean(options, basis)
        arms.best_everyone.send(best, archetype)
        arms.random_everyone.send(expected, archetype)
        view = one.signals.view(one.domain)
        menu = None if view is None else rulebook.menus.menu_for(view.domain, view.card_type, view.strategy)
        if holds := screen(_case(rulebook, one, limits[one.domain], view, menu)):
            arms.held[holds[0][0]] += 1
            continue
        assert view is not None and menu is not None  # screening holds back who has neither
        arms.ours.send(outlook(_first(menu, view), basis), archetype)
        arms.ours_at_best.send(max((outlook(o, basis) for o in menu.options), key=lambda it: it.net_usd), archetype)
        arms.best_same.send(best, archetype)
        arms.random_same.send(expected, archetype)
    return arms


def assumptions(rulebook: Rulebook) -> Iterator[str]:
    """Yield every assumption with its values, unit and source."""
    yield f"assumptions of policies/ladders.yaml {rulebook.menus.version}"
    for name, assumption in rulebook.menus.assumptions:
        value = assumption.value
        if isinstance(value, Decimal):
            told = [f"{value:g}"]
        else:
            told = [f"{key} {_values(inner)}" for key, inner in value.items()]
        yield fill(f"{name}: {'; '.join(told)}", WIDTH, initial_indent="  ", subsequent_indent=" " * 6)
        yield fill(f"unit: {assumption.unit}", WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 12)
        yield fill(f"source: {assumption.source}", WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 14)


def _values(inner: object) -> str:
    if isinstance(inner, dict):
        return ", ".join(f"{key} {value:g}" for key, value in inner.items())
    return f"{inner:g}"


def _case(rulebook: Rulebook, one: Predicted, limits: Limits, view: MemberView | None, menu: Menu | None) -> Case:
    candidates = 0
    if view is not None and menu is not None:
        channels = {option.channel for option in menu.options}
        candidates = len(
            rulebook.catalogue.candidates(one.domain, campaign=CAMPAIGN, view_digest=view.digest(), channels=channels)
        )
    return Case(
        member=one.member,
        signals=one.signals,
        usage=Usage(),
        limits=limits,
        domain=one.domain,
        confidence=one.confidence,
        menu=menu,
        candidates=candidates,
        account_standing_attested=True,
        today=PREDICTED_AT.date(),
    )


def _first(menu: Menu, view: MemberView) -> MenuOption:
    """Return the option a model that can only take the first would choose, as the embedded one does."""
    return permuted(menu.options, f"{CAMPAIGN}\0{view.digest()}", key=lambda option: option.option_id)[0]


def _all_options(rulebook: Rulebook, domain: Domain, card_type: CardType) -> Iterator[MenuOption]:
    for strategy in STRATEGIES:
        yield from rulebook.menus.menu_for(domain, card_type, strategy).options


def _dearest(options: Sequence[MenuOption], basis: Basis) -> MenuOption:
    return max(options, key=lambda option: (use_cost_usd(option, basis), option.option_id))


def _mean(options: Sequence[MenuOption], basis: Basis) -> Outlook:
    each, count = [outlook(option, basis) for option in options], len(options)
    return Outlook(
        take_up=sum((one.take_up for one in each), Decimal(0)) / count,
        cost_usd=sum((one.cost_usd for one in each), Decimal(0)) / count,
        value_usd=sum((one.value_usd for one in each), Decimal(0)) / count,
    )


def _ratio(what: str, ours: Decimal, base: Decimal, to: str) -> Figure:
    """Return OfferGraph's sum as a ratio to another arm's on the same members."""
    return Figure(f"OfferGraph's {what}", f"${ours:,.0f}", float(ours), float(ours / base), f"{to} (${base:,.0f})")
