"""What screening of many members at once rests on: the rulebook and the settings, as tables."""

from datetime import date

from graph.case import candidates_of
from graph.deps import Deps
from tools.population import Ground, MenuFacts
from tools.views import MemberView
from tools.vocabulary import DOMAINS


def ground_of(deps: Deps, day: date, *, flight: str) -> Ground:
    """Return it for offers of one send date; `flight` is the campaign's, as for `candidates_of`."""
    limits = {domain: deps.limits(domain) for domain in DOMAINS}
    facts = {}
    for (domain, card_type, strategy), menu in deps.rulebook.menus.menus.items():
        view = MemberView(
            domain=domain,
            card_type=card_type,
            strategy=strategy,
            spend_trend="stable",
            engagement="low",
            domain_interest="other",
            tenure_band="new",
        )  # how many partners fit doesn't depend on the other bands, only in which order
        candidates = len(candidates_of(view, menu, flight, deps))
        facts[domain, card_type, strategy] = MenuFacts.of(menu, limits[domain], candidates=candidates)
    return Ground(
        limits=limits,
        menus=facts,
        account_standing_attested=deps.attested("account_standing", day),
        unattested=deps.unattested(day),
        today=day,
    )
