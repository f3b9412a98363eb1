"""`offers budget`: what a campaign may promise, and what is left of it."""

import asyncio
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import out, program, warn
from tools.vocabulary import DOMAINS

if TYPE_CHECKING:
    from tools.ledger.budgets import BudgetKey, BudgetStatus

app = typer.Typer(
    no_args_is_help=True, help="Set and show what a campaign may promise: in all, per domain, day, member."
)

Campaign = Annotated[str, typer.Option(metavar="NAME", help="The campaign; single requests belong to `online`.")]


def usd(value: str) -> Decimal:
    """Return an amount of money from the command line. Raises BadParameter for one that can be no budget."""
    from tools.ledger.budgets import MOST_USD, is_budget

    try:
        amount = Decimal(value)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not is_budget(amount):
        allowed = f"give US dollars from 0 to {MOST_USD:,}, without commas, for example 5000 or 5000.50"
        raise typer.BadParameter(f"{value!r} is no amount; {allowed}")
    return amount


def _per_domain(value: str) -> tuple[str, Decimal]:
    domain, equals, amount = value.partition("=")
    if not equals or domain not in DOMAINS:
        raise typer.BadParameter(f"{value!r} is no DOMAIN=USD; allowed domains: {', '.join(DOMAINS)}")
    return domain, usd(amount)


def _clearable(value: str) -> str:
    allowed = ("total", "per-day", "per-member", *DOMAINS)
    if value not in allowed:
        raise typer.BadParameter(f"{value!r} is no budget; allowed: {', '.join(allowed)}")
    return value


@app.command()
def show(campaign: Campaign = "online") -> None:
    """Show what is spent, reserved and left of each budget of a campaign, in US dollars.

    Spent is the expected cost of issued offers, reserved that of offers being made at this moment.

    Example:

        offers budget show
        offers budget show --campaign online
    """
    _print(campaign, asyncio.run(_change(campaign, {}, frozenset())))


@app.command("set", no_args_is_help=True)
def set_budgets(
    campaign: Campaign = "online",
    total: Annotated[
        Decimal | None, typer.Option("--total", parser=usd, metavar="USD", help="All offers together.")
    ] = None,
    domain: Annotated[
        list[str] | None,
        typer.Option("--domain", metavar="DOMAIN=USD", help="Offers of one domain; give it once for each."),
    ] = None,
    per_day: Annotated[
        Decimal | None,
        typer.Option("--per-day", parser=usd, metavar="USD", help="Offers of one day, in the brand's time zone."),
    ] = None,
    per_member: Annotated[
        Decimal | None, typer.Option("--per-member", parser=usd, metavar="USD", help="Offers to one member.")
    ] = None,
    clear: Annotated[
        list[str] | None,
        typer.Option("--clear", metavar="BUDGET", help="Remove total, per-day, per-member or a domain's; repeatable."),
    ] = None,
) -> None:
    """Set or remove budgets of a campaign. Every server keeps to them from its next offer on.

    An offer is issued only if its expected cost fits into every budget that counts it; else the member gets the next
    cheaper option of the same type, or none. Budgets that are not named stay as they are.

    A budget counts all that the campaign has promised so far. One set lower than that takes nothing back and lets no
    more through: `--total 0` stops a campaign.

    Example:

        offers budget set --total 50000 --per-day 2500
        offers budget set --campaign online --domain Dining=8000 --domain "Business Services=12000.50"
        offers budget set --per-member 40 --clear per-day --clear Dining
        offers budget set --total 0
    """
    from tools.ledger.budgets import BudgetKey

    by_domain = [_per_domain(value) for value in domain or ()]
    limits = {BudgetKey("domain", name): amount for name, amount in by_domain}
    if len(limits) < len(by_domain):
        raise typer.BadParameter("a domain is named twice; give one amount for each", param_hint="--domain")
    named = {BudgetKey("campaign"): total, BudgetKey("day"): per_day, BudgetKey("member"): per_member}
    limits |= {key: amount for key, amount in named.items() if amount is not None}
    removed = frozenset(_key(_clearable(name)) for name in clear or ())
    if both := removed & limits.keys():
        told = ", ".join(sorted(key.name or _FLAGS[key.scope] for key in both))
        raise typer.BadParameter(f"{told}: set and cleared at once; do one of the two", param_hint="--clear")
    if not limits and not removed:
        raise typer.BadParameter("no budget is named; give --total, --domain, --per-day, --per-member or --clear")
    budgets = asyncio.run(_change(campaign, limits, removed))
    _print(campaign, budgets)
    for budget in budgets:
        promised = budget.spent_usd + budget.reserved_usd
        if budget.limit_usd is not None and promised > budget.limit_usd:
            warn(
                f"{_LABELS[budget.scope].format(name=budget.name)}: {promised:,.2f} USD are promised already; nothing"
                " is taken back, and no more is promised until its limit is above that"
            )


_FLAGS: Final = {"campaign": "total", "day": "per-day", "member": "per-member"}


def _key(name: str) -> "BudgetKey":
    from tools.ledger.budgets import BudgetKey

    keys = {"total": BudgetKey("campaign"), "per-day": BudgetKey("day"), "per-member": BudgetKey("member")}
    return keys.get(name) or BudgetKey("domain", name)


async def _change(
    campaign: str, limits: "dict[BudgetKey, Decimal]", clear: "frozenset[BudgetKey]"
) -> "tuple[BudgetStatus, ...]":
    """Set and clear what is asked, and return what there is then."""
    from zoneinfo import ZoneInfo

    from graph.database import open_database
    from graph.settings import load_settings
    from tools.ledger.budgets import Budgets

    settings = load_settings()
    database = open_database(settings)
    try:
        budgets = Budgets(database, zone=ZoneInfo(settings.brand_time_zone))
        if limits or clear:
            await budgets.change(campaign, limits, clear=clear)
        return await budgets.show(campaign)
    finally:
        await database.aclose()


_LABELS: Final = {
    "campaign": "total",
    "domain": "{name}",
    "day": "today, {name}",
    "member": "per member (here: whose offers cost most)",
}


def _print(campaign: str, budgets: "tuple[BudgetStatus, ...]") -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"campaign {campaign}, USD", title_justify="left")
    table.add_column("budget")
    for name in ("limit", "spent", "reserved", "left"):
        table.add_column(name, justify="right")
    for budget in budgets:
        amounts = (budget.limit_usd, budget.spent_usd, budget.reserved_usd, budget.left_usd)
        cells = (Text("none" if amount is None else f"{amount:,.2f}") for amount in amounts)
        table.add_row(Text(_LABELS[budget.scope].format(name=budget.name)), *cells)
    out().print(table)
    if all(budget.limit_usd is None for budget in budgets):
        out().print(Text(f"no budget is set, nothing is limited; next:  {program()} budget set --help"), soft_wrap=True)
