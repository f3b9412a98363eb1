"""Which members share a draft: those whose prompts are the same byte for byte."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import polars as pl

from tools.variants import BUCKETS, Shares, Split, arm, bucket
from tools.views import MemberView

HOLDOUT: Final = "holdout"
"""What a member's place in the holdout is drawn for, as arms are drawn for a prompt."""
VIEW: Final = {name: "view_card_type" if name == "card_type" else name for name in MemberView.model_fields}
"""The columns of `tools.population.with_signals` that a MemberView is made of, by its fields."""
_NEW: Final = {"cohort": pl.Int64(), "key": pl.String(), "view": pl.String(), "variants": pl.String()}


class Draws:
    """Draws members of one campaign: into the holdout, and to variants of prompts. The same member, the same draw.

    `holdout` is percent of members.
    """

    def __init__(self, campaign: str, *, holdout: float, split: Split) -> None:
        self._campaign, self._holdout = campaign, round(holdout * BUCKETS / 100)
        self._arms = {prompt: pl.Series(_column(prompt), _arms(shares)) for prompt, shares in split.items()}

    def of(self, user_ids: pl.Series) -> pl.DataFrame:
        """Return a row for each distinct member: `user_id`, `in_holdout`, and a column `arm_<prompt>`, '' for none."""
        members = user_ids.unique().sort()
        held = self._places(HOLDOUT, members) < self._holdout
        arms = [arms.gather(self._places(prompt, members)) for prompt, arms in self._arms.items()]
        return pl.DataFrame([members.alias("user_id"), held.alias("in_holdout"), *arms])

    def _places(self, drawn_for: str, members: pl.Series) -> pl.Series:
        return pl.Series([bucket(self._campaign, drawn_for, user_id) for user_id in members], dtype=pl.Int64)


class Cohorts:
    """Numbers the cohorts of a plan as they are met. `individual`: each prediction is a cohort of its own."""

    def __init__(self, split: Split, *, individual: bool) -> None:
        self._prompts, self._individual = tuple(split), individual
        self._columns = [*VIEW.values(), *map(_column, self._prompts), "use_llm"]
        self._known: dict[tuple[Any, ...], int] = {}
        self._count = 0

    def of(self, open_items: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the items with the column `cohort`, and the cohorts that are new with them.

        Items have the columns `VIEW`, `arm_<prompt>` and `use_llm`. New cohorts have `cohort`, `key`, `view` and
        `variants` (both JSON) and `use_llm`.
        """
        if self._individual:
            numbers = pl.int_range(self._count, self._count + len(open_items), dtype=pl.Int64, eager=True)
            self._count += len(open_items)
            rows = zip(open_items.select(self._columns).iter_rows(), open_items["prediction_key"], numbers, strict=True)
            new = [self._cohort(number, *values, prediction_key=key) for values, key, number in rows]
            return open_items.with_columns(numbers.alias("cohort")), _framed(new)
        distinct = open_items.select(self._columns).unique().sort(self._columns)
        new = []
        for values in distinct.iter_rows():
            if values not in self._known:
                self._known[values] = len(self._known)
                new.append(self._cohort(self._known[values], *values))
        numbers = pl.Series("cohort", [self._known[values] for values in distinct.iter_rows()], dtype=pl.Int64)
        numbered = distinct.with_columns(numbers)
        return open_items.join(numbered, on=self._columns, how="left", maintain_order="left"), _framed(new)

    def _cohort(self, number: int, *values: Any, **own: str) -> tuple[Any, ...]:
        *shared, use_llm = values
        view = dict(zip(VIEW, shared, strict=False))
        arms = zip(self._prompts, shared[len(VIEW) :], strict=True)
        variants = {prompt: variant for prompt, variant in arms if variant}
        key = cohort_key(view, variants, use_llm=use_llm, **own)
        return number, key, _canonical(view), _canonical(variants), use_llm


def cohort_key(
    view: Mapping[str, Any], variants: Mapping[str, str], *, use_llm: bool, prediction_key: str | None = None
) -> str:
    """Return what names a cohort within a campaign: SHA-256 of the canonical JSON of all its prompts depend on."""
    named: dict[str, Any] = {"view": view, "variants": variants, "use_llm": use_llm}
    own = {} if prediction_key is None else {"prediction_key": prediction_key}
    return sha256(_canonical(named | own).encode()).hexdigest()


def _framed(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=_NEW | {"use_llm": pl.Boolean()}, orient="row")


def _arms(shares: Shares) -> list[str]:
    return [arm(shares, place) or "" for place in range(BUCKETS)]


def _column(prompt: str) -> str:
    return f"arm_{prompt}"


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
