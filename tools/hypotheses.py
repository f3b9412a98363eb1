"""Why an offer may fit: reviewed hypotheses per member view, and the test a model's own wording must pass."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field

from tools.errors import PolicyInvalid
from tools.views import MemberView
from tools.yaml_lines import read_model

FEWEST: Final = 3
MOST: Final = 6
LONGEST: Final = 200

_SENSITIVE_WORDS: Final = (
    # family and life events
    r"divorc\w*|separat(?:ed|ion)|marri\w+|wedding\w*|honeymoon\w*|spous\w+|wife|husband\w*|widow\w*|pregnan\w*|bab(?:y|ies)"
    r"|newborn\w*|expecting|child(?:ren)?|kids?|parent\w*|mothers?|fathers?|moms?|dads?|birthday\w*",
    # health and loss
    r"illness\w*|ill|sick\w*|diseas\w*|diagnos\w*|health\w*|medical\w*|cancer|hospital\w*|disab\w+|rehab\w*|addict\w*"
    r"|pharmac\w*|death\w*|died|dying|deceased|funeral\w*|grie(?:f|v\w+)|bereave\w*",
    # work and money troubles
    r"laid off|layoffs?|los[et] (?:their|his|her|your|the|a) job|job loss|unemploy\w*|fired|retir\w+|bankrupt\w*|debts?"
    r"|poor|poverty|hardship\w*|welfare|public assistance",
    # origin and belief
    r"immigra\w*|migrant\w*|citizen\w*|foreign\w*|native\w*|ethnic\w*|races?|racial\w*|black|white|asian\w*|hispanic\w*"
    r"|latin[oax]s?|african\w*|arab\w*|indigenous|relig\w+|church\w*|mosque\w*|synagogue\w*|christian\w*|muslim\w*"
    r"|jew(?:s|ish)?|hindu\w*|buddhis\w+",
    # sex, gender and age
    r"m[ae]n|males?|wom[ae]n|females?|gender\w*|sex(?:es|ual\w*)?|gay|lesbian\w*|trans(?:gender)?|queer|age[ds]?|older"
    r"|elder\w*|young\w*|seniors?|millennial\w*|boomers?|teen\w*|students?",
)
_SENSITIVE: Final = re.compile(rf"\b(?:{'|'.join(_SENSITIVE_WORDS)})\b", re.IGNORECASE)


class Hypothesis(BaseModel):
    """One reviewed hypothesis: the view fields it cites, and the values of fields it is for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z]+(_[a-z]+)*$")
    text: str = Field(min_length=1, max_length=LONGEST)
    cites: tuple[str, ...] = Field(min_length=1)
    when: dict[str, tuple[str, ...]] = Field(min_length=1)

    def fits(self, view: MemberView) -> bool:
        """Tell whether every field of `when` has one of its values in this view."""
        return all(getattr(view, field) in values for field, values in self.when.items())


class _HypothesisFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    hypotheses: tuple[Hypothesis, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Hypotheses:
    """The reviewed catalogue. Built by `load_hypotheses`."""

    version: str
    hypotheses: tuple[Hypothesis, ...]

    def applicable(self, view: MemberView) -> tuple[Hypothesis, ...]:
        """Return the three to six hypotheses for this view, in the file's order."""
        return tuple(hypothesis for hypothesis in self.hypotheses if hypothesis.fits(view))


def load_hypotheses(path: Path) -> Hypotheses:
    """Read `policies/hypotheses.yaml`.

    Raises PolicyInvalid, with file and line, for a field or value no view has, a text that a model's hypothesis would
    be dropped for, an id used twice, and a view with fewer than three or more than six hypotheses.
    """
    file, lines = read_model(path, _HypothesisFile)
    values = {name: get_args(field.annotation) for name, field in MemberView.model_fields.items()}
    seen: set[str] = set()
    for index, hypothesis in enumerate(file.hypotheses):
        fault = None
        if hypothesis.id in seen:
            fault = ("id", "is used twice")
        elif reason := _fault_in(hypothesis.text, hypothesis.cites, ()):
            fault = ("text", reason)
        else:
            for field, wanted in hypothesis.when.items():
                if field not in values or not set(wanted) <= set(values[field]):
                    fault = ("when", f"{field}: {list(wanted)} are not values of a member view's field")
                elif field not in hypothesis.cites:
                    fault = ("cites", f"depends on {field} without citing it")
        if fault:
            line = lines.at("hypotheses", index, fault[0])
            raise PolicyInvalid(path, line, f"hypothesis '{hypothesis.id}': {fault[0]}: {fault[1]}")
        seen.add(hypothesis.id)
    _refuse_uneven(path, file.hypotheses, values)
    return Hypotheses(version=file.version, hypotheses=file.hypotheses)


def check_worded(
    text: str, cites: Sequence[str], view: MemberView, *, merchant_names: Sequence[str] = ()
) -> str | None:
    """Return why a hypothesis that a model worded is dropped, or None when it may stay.

    Dropped: over 200 characters, without a citation or with one this view doesn't have, holding a digit, naming a
    sensitive life event or a protected class, or naming one of `merchant_names` (as written: "target" is still a word).
    """
    return _fault_in(text, cites, merchant_names, fields=frozenset(type(view).model_fields))


def _fault_in(
    text: str,
    cites: Sequence[str],
    merchant_names: Sequence[str],
    *,
    fields: frozenset[str] = frozenset(MemberView.model_fields),
) -> str | None:
    if not text.strip() or len(text) > LONGEST:
        return f"{len(text)} characters, 1 to {LONGEST} are allowed"
    if not cites:
        return "cites no field of the view"
    if unknown := [field for field in cites if field not in fields]:
        return f"cites '{unknown[0]}', which is no field of the view"
    if any(char.isdigit() for char in text):
        return "holds a digit"
    if found := _SENSITIVE.search(text):
        return f"names a sensitive life event or a protected class: '{found[0]}'"
    for name in merchant_names:
        if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            return f"names the merchant '{name}'"
    return None


def _refuse_uneven(path: Path, hypotheses: tuple[Hypothesis, ...], values: dict[str, tuple[str, ...]]) -> None:
    used = sorted({field for hypothesis in hypotheses for field in hypothesis.when})
    for combination in product(*(values[field] for field in used)):
        view = dict(zip(used, combination, strict=True))
        count = sum(all(view[f] in wanted for f, wanted in h.when.items()) for h in hypotheses)
        if not FEWEST <= count <= MOST:
            raise PolicyInvalid(path, 1, f"{count} hypotheses for {view}, {FEWEST} to {MOST} are needed")
