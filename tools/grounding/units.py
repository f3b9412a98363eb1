"""Whether the copy speaks of the kind of reward that the offer pays: points, cash back, credit, percent off."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from tools import sentences
from tools.grounding.checks import Checks
from tools.grounding.measures import Unit
from tools.grounding.reading import Reading
from tools.grounding.roles import Role
from tools.grounding.tokens import listed, low
from tools.report import Evidence
from tools.sieve import Sieve
from tools.subject import Subject

_FORMS: Final[dict[str, str]] = {
    "points": r"\b(?:earn|get|collect|receive|score|double|triple|bonus|extra)"
    r"(?: up to| more| extra| bonus| reward| your){0,2} points\b"
    r"|\b(?:in|worth of|paid (?:out )?(?:in|as)) (?:\w+ )?points\b"
    r"|\bpoints (?:\w+ )?(?:post|posts|land|arrive|(?:are|will be) (?:added|yours|paid|credited))\b",
    "cash_back": r"\bcash[ -]?back\b|\bcash in your (?:pocket|wallet|account)\b|\b(?:bonus|free|instant) cash\b",
    "cash": r"\$\d[\d,]*(?:\.\d+)? (?:in )?cash\b",
    "miles": r"\b(?:earn|get|collect|receive|bonus|\d+)(?: \w+){0,2} miles\b"
    r"|\bmiles (?:per|for each|for every|on every)\b",
    "credit": r"\b(?:statement|account|bill) credits?\b",
}
_FORM_NAMES: Final = tuple(_FORMS)
_SIEVE: Final = Sieve([*_FORMS.values()], groups=False)
_PATTERNS: Final = {form: re2.compile("(?i)" + pattern) for form, pattern in _FORMS.items()}
_POINTS: Final = frozenset({"points", "points_amount", "multiplier"})
_CASH: Final = frozenset({"cash_back", "cash"})
_PERCENT: Final = frozenset({"percent_back", "percent_off"})
_MILES: Final = frozenset({"miles"})
_DENIED: Final[dict[str, frozenset[str]]] = {
    "points_multiplier": _MILES | _CASH | _PERCENT | {"credit", "money_back"},
    "bonus_points": _MILES | _CASH | _PERCENT | {"credit", "money_back", "multiplier"},
    "statement_credit": _MILES | _CASH | _PERCENT | _POINTS,
    "cashback": _MILES | _POINTS | {"percent_off", "money_back"},
    "discount": _MILES | _POINTS | _CASH | {"percent_back", "credit", "money_back"},
    "exclusive_access": _POINTS | _MILES | _CASH | _PERCENT | {"credit", "money_back"},
}
"""Forms of reward that an offer of a type never pays. Types of credit products have no reward to disagree with."""

_BACK: Final = frozenset({"back", "cash"})
_OFF: Final = frozenset({"off", "discount", "savings"})
_REDEEMED: Final = re2.compile(r"(?i)\b(?:redeem\w*|worth|value[ds]?|equals?|toward)\b")
_NEGATED: Final = frozenset(listed("not no isn't aren't never without than excluding excludes except"))
_EXISTING: Final = frozenset({"usual", "regular", "existing", "other", "your", "already"})
_NUMBER_FORMS: Final[dict[Unit, tuple[tuple[frozenset[str], str], ...]]] = {
    "percent": ((_BACK, "percent_back"), (_OFF, "percent_off")),
    "money": ((frozenset({"back", "credit", "off", "rebate", "bonus"}), "money_back"), (frozenset({"cash"}), "cash")),
}
_CAPPED: Final[frozenset[Role]] = frozenset({"reward_cap", "reward_total", "worth"})


def reward_unit_agrees(checks: Checks, subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find rewards of another kind than the offer's: "3% cash back" where it pays 3X points."""
    denied = _DENIED.get(str(subject.offer.get("offer_type")))
    if denied is None:
        return []
    named = _forms_in(checks.copy(subject)) & denied

    def one(field: str, reading: Reading) -> Iterable[Evidence]:
        found: dict[int | None, Evidence] = {}
        forms = _forms_in(reading.folded.text.encode()) & denied if field == "terms" else named
        for start, end in _spans(reading, denied, forms, checks.examples(subject, field, reading)):
            evidence = reading.evidence(field, start, end)
            found.setdefault(evidence.start, evidence)
        return found.values()

    return checks.by_field(subject, "units", one)


def _forms_in(text: bytes) -> frozenset[str]:
    """Return the forms of reward that a text may name, fields being lines of it."""
    return frozenset(_FORM_NAMES[at] for at in _SIEVE.occurring(text))


def _spans(
    reading: Reading, denied: frozenset[str], forms: frozenset[str], examples: frozenset[int]
) -> list[tuple[int, int]]:
    spans = []
    for at, (quantity, roles) in enumerate(zip(reading.quantities, reading.roles, strict=True)):
        if quantity.factor or "base" in roles or at in examples:
            continue
        if quantity.unit in ("points", "multiplier"):
            form = "points_amount" if quantity.unit == "points" else "multiplier"
            if form in denied:
                more = reading.beside(quantity, quantity.last) in ("points", "point")
                spans.append((quantity.start, reading.tokens[quantity.last].end if more else quantity.end))
            continue
        following = [reading.beside(quantity, quantity.last + step) for step in range(2)]
        for signs, form in _NUMBER_FORMS.get(quantity.unit, ()):
            step = next((step for step, word in enumerate(following) if word in signs), None)
            if step is not None and form in denied and not (roles & _CAPPED):
                last = quantity.last + step
                cash_back = low(reading.tokens, last) == "cash" and low(reading.tokens, last + 1) == "back"
                spans.append((quantity.start, reading.tokens[last + cash_back].end))
    covered = [range(start, end) for start, end in spans]
    covered += [range(name.start, name.end) for name in reading.names]
    for form in forms:
        for match in _PATTERNS[form].finditer(reading.folded.text):
            if not any(match.start() in span or match.end() - 1 in span for span in covered) and not _is_exempt(
                reading, match, form
            ):
                spans.append(match.span())
    return sorted(spans)


def _is_exempt(reading: Reading, match: Any, form: str) -> bool:
    """Tell "not cash back", "your usual points", and points that are redeemed as a statement credit."""
    text, start = reading.folded.text, match.start()
    before = sentences.before(text, start, 30).lower().split()[-3:]
    if _NEGATED.intersection(before) or (
        form == "points" and _EXISTING.intersection([*before, *match.group().lower().split()])
    ):
        return True
    near = f"{sentences.before(text, start, 80)}{match.group()}{sentences.behind(text, match.end(), 40)}"
    return form == "credit" and _REDEEMED.search(near) is not None
