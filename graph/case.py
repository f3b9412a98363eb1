"""What screening and the gate's member clauses judge: member, ledger, limits and menu put together."""

from graph.deps import Deps
from graph.state import OfferState, Run
from tools.cardmembers import Cardmember
from tools.errors import InputInvalid
from tools.policies.policy_set import Policy
from tools.screening import Case, Usage
from tools.signals import Signals, read_signals
from tools.subject import Scope
from tools.terms import Menu, Merchant
from tools.views import MemberView


async def member_of(state: OfferState, deps: Deps) -> Cardmember | None:
    """Return the member; fetch it again after a resume, since no checkpoint holds it."""
    if not state["found"]:
        return None
    sealed = state.get("member")
    return sealed.open() if sealed is not None else await deps.members.load(state["prediction"].user_id)


def case_of(state: OfferState, member: Cardmember, usage: Usage, deps: Deps) -> Case:
    """Put a screening case together."""
    run, prediction = state["run"], state["prediction"]
    signals = read_signals(member, run.send_date)
    view = signals.view(prediction.domain)
    menu = None if view is None else menu_of(view, deps)
    return Case(
        member=member,
        signals=signals,
        usage=usage,
        limits=deps.limits(prediction.domain),
        domain=prediction.domain,
        confidence=prediction.confidence_score,
        menu=menu,
        candidates=0 if view is None or menu is None else len(candidates_of(view, menu, flight_of(run), deps)),
        account_standing_attested=deps.attested("account_standing", run.send_date),
        today=run.send_date,
        unattested=deps.unattested(run.send_date),
    )


def signals_of(state: OfferState, member: Cardmember) -> Signals:
    """Return the member's signals on the offer's first day."""
    return read_signals(member, state["run"].send_date)


def menu_of(view: MemberView, deps: Deps) -> Menu:
    """Return the menu: a pure function of domain, card type, strategy and the policy set."""
    return deps.rulebook.menus.menu_for(view.domain, view.card_type, view.strategy)


def scopes_of(view: MemberView, deps: Deps) -> frozenset[Scope]:
    """Return every scope an offer of this view's menu can have: a policy that covers one of them must be known."""
    return frozenset(
        Scope(domain=view.domain, card_type=view.card_type, channel=option.channel, offer_type=option.offer_type)
        for option in menu_of(view, deps).options
    )


def mandatory_of(view: MemberView, deps: Deps) -> tuple[Policy, ...]:
    """Return the policies a draft must be told of: all that are active for whatever option it may choose."""
    return deps.rulebook.policies.in_any_scope(scopes_of(view, deps))


def flight_of(run: Run) -> str:
    """Return what turns the ring of merchants: the campaign and the month an offer is sent in.

    `online` never ends, and few views make up most members: without the month, a partner that got no common view would
    be shown little for good.
    """
    return f"{run.campaign} {run.send_date:%Y-%m}"


def candidates_of(view: MemberView, menu: Menu, flight: str, deps: Deps) -> tuple[Merchant, ...]:
    """Return the merchants a draft may choose from; none when too few fit."""
    channels = {option.channel for option in menu.options}
    try:
        return deps.rulebook.catalogue.candidates(
            view.domain, campaign=flight, view_digest=view.digest(), channels=channels
        )
    except InputInvalid:
        return ()
