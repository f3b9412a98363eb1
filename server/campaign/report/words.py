"""What the page calls things."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from server.campaign.report.figures import CampaignFigures, Funnel

SHA: Final = 16
"""Signs of a hash that are shown."""

Kind = Literal["whole", "lost", "kept", "held", "dead", "open"]

_REASONS: Final = {
    "marketing_opt_out": "opted out of marketing",
    "low_confidence": "confidence too low",
    "monthly_cap": "monthly cap reached",
    "category_cooldown": "offer in the domain too recent",
    "decline_cooldown": "declined one recently",
    "high_value_quarter_cap": "quarter's cap of high-value offers",
    "multiplier_cap": "cap of points multipliers",
    "annual_credit_cap": "year's cap of credits",
    "spend_floor": "spends too little",
    "account_age": "account too new",
    "account_status_unknown": "account standing unknown",
    "sleeping_dog": "better left alone (sleeping dog)",
    "holdout": "holdout, by lot",
    "budget_exhausted": "budget exhausted",
    "no_eligible_option": "no option fits",
    "data_quality": "data too poor",
}


@dataclass(frozen=True, slots=True)
class FunnelLine:
    """One bar of the funnel: `start` is where it begins, so that what is lost hangs at the end of what was there."""

    name: str
    count: int
    start: int
    kind: Kind


def reason_words(reason: str) -> str:
    """Return a reason of holding back in words; an unknown one as it is."""
    return _REASONS.get(reason, reason.replace("_", " "))


def funnel_lines(funnel: Funnel) -> list[FunnelLine]:
    """Return the funnel from top to bottom; lines of nothing are left out, but for the stations."""
    lines = [FunnelLine("Rows of the file", funnel.input_rows, 0, "whole")]
    lines += _lost(funnel.input_rows, [("not a prediction, or there before", funnel.rejected, "lost")])
    lines.append(FunnelLine("Predictions", funnel.items, 0, "whole"))
    lines += _lost(
        funnel.items, [("ask for no offer", funnel.not_needed, "lost"), ("unknown member", funnel.unknown, "lost")]
    )
    lines.append(FunnelLine("Of known members", funnel.known, 0, "whole"))
    lines += _lost(funnel.known, [(reason_words(name), count, "held") for name, count in funnel.held.items()])
    lines.append(FunnelLine("Not held back", funnel.passed, 0, "whole"))
    dead: list[tuple[str, int, Kind]] = [
        (f"dead: {name.replace('_', ' ')}", count, "dead") for name, count in funnel.dead.items()
    ]
    lines += _lost(funnel.passed, [*dead, ("cancelled", funnel.cancelled, "lost"), ("still open", funnel.open, "open")])
    lines.append(FunnelLine("Offers", funnel.offers, 0, "kept"))
    return lines


def version_lines(figures: CampaignFigures) -> list[tuple[str, str]]:
    """Return what the campaign was planned under, flat."""
    return [(name, told) for name, value in sorted(figures.versions.items()) for name, told in _flat(name, value)]


def _flat(name: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [line for key, inner in sorted(value.items()) for line in _flat(f"{name}: {key}", inner)]
    told = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    is_hash = len(told) >= 32 and all(sign in "0123456789abcdef" for sign in told)
    return [(name.replace("_", " "), told[:SHA] if is_hash else told)]


def _lost(there: int, parts: list[tuple[str, int, Kind]]) -> list[FunnelLine]:
    lines, left = [], there
    for name, count, kind in parts:
        if count:
            left -= count
            lines.append(FunnelLine(name, count, left, kind))
    return lines
