"""A campaign's figures as one HTML file: no script, nothing from elsewhere, light and dark, for phones, desks, paper."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Template

from server.campaign.report.figures import CampaignFigures, Proportion
from server.campaign.report.groups import LEAST
from server.campaign.report.plots import columns, scaled, usd_scale
from server.campaign.report.use import OUTCOMES
from server.campaign.report.words import funnel_lines, reason_words, version_lines
from server.evaluation.report.page import TEMPLATES as SHARED
from server.evaluation.report.page import environment, styled
from server.evaluation.wording import counted, number, p_value, share

TEMPLATES: Final = Path(__file__).parent / "templates"
NONE: Final = "–"
MOST: Final = 15
"""Options and merchants that are listed; the others are summed up."""

TONES: Final = {"done": "better", "cancelled": "worse"}
BANNERS: Final = {
    "created": "Not planned yet: nobody was screened, and every prediction counts as open.",
    "planned": "Planned, not run yet: the figures below are the plan's, and no offer exists.",
    "running": "Still running: these figures are of one moment, and the open predictions are not decided.",
    "paused": "Paused before its end: the open predictions are not decided.",
    "cancelled": "Cancelled before its end: predictions that were open then were never decided.",
}


def page(figures: CampaignFigures) -> str:
    """Return the report. Figures as the ledger had them; nothing in it names a member."""
    return _template().render(
        **styled(SHARED / "report.css", TEMPLATES / "campaign.css"),
        f=figures,
        tone=TONES.get(figures.state, "unclear"),
        banner=BANNERS.get(figures.state),
        funnel=funnel_lines(figures.funnel),
        versions=version_lines(figures),
        plot=columns(figures.use, OUTCOMES),
        usd_scales=[usd_scale(attribute.groups) for attribute in figures.parity.attributes],
        outcomes=[name for name in OUTCOMES if any(row.outcome == name for row in figures.use.rows)],
        adverse=[(a.name, g) for a in figures.parity.attributes for g in a.groups if g.adverse],
        faults=[ratio for ratio in (figures.holdout, *figures.variants) if ratio is not None and ratio.fault],
        least=LEAST,
        most=MOST,
    )


def usd(amount: Decimal | float | None) -> str:
    """Return an amount in words: $1,234.50; amounts under ten cents with four places."""
    if amount is None:
        return NONE
    places = 4 if amount and abs(amount) < Decimal("0.1") else 2
    return f"${number(float(amount), places=places)}"


def part(count: float | Decimal, of: float | Decimal | None) -> str:
    """Return a share in per cent, or a dash where there is nothing to share."""
    return share(float(count) / float(of)) if of else NONE


def interval(found: Proportion) -> str:
    """Return a share's interval in words."""
    return NONE if found.low is None or found.high is None else f"{share(found.low)} to {share(found.high)}"


def largest(values: Iterable[float]) -> float:
    """Return the largest of some values, 1 for none: what bars are scaled to."""
    return float(max(values, default=1)) or 1.0


@cache
def _template() -> Template:
    templates = environment(TEMPLATES)
    templates.filters |= {
        "usd": usd,
        "n": lambda value, places=0: NONE if value is None else number(float(value), places=places),
        "share": lambda value: NONE if value is None else share(value),
        "interval": interval,
        "moment": lambda moment: f"{moment:%Y-%m-%d %H:%M} UTC",
        "p": p_value,
        "reason": reason_words,
    }
    templates.globals |= {"part": part, "counted": counted, "largest": largest, "scaled": scaled}
    return templates.get_template("campaign.html.j2")
