"""Cells: no value is a formula, and none is lost."""

import csv
from io import StringIO

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tools.spreadsheet import Sheet, cell, value_of

RISKY = ("=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "'=1", "\u00a0=1", "\uff1d1")
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30) | st.builds(
    "{}{}".format, st.text("=+-@\t\r\n' ,;\"", max_size=4), st.text(max_size=5).filter(lambda text: "\0" not in text)
)


@given(texts)
@example("")
@example("''")
@example(" \r")
def test_no_cell_begins_as_a_formula_and_each_gives_its_value_back(value: str) -> None:
    shown = cell(value)
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert value_of(shown) == value


@given(st.lists(st.lists(texts, min_size=2, max_size=3), max_size=4))
def test_files_give_their_rows_back(rows: list[list[str]]) -> None:
    file = StringIO(newline="")
    Sheet(file, ("row_no", "value")).writerows([(number, *row) for number, row in enumerate(rows, 1)])
    header, *read = list(csv.reader(StringIO(file.getvalue(), newline=""), strict=True))
    assert header == ["row_no", "value"]
    assert [[value_of(shown) for shown in row] for row in read] == [
        [str(number), *row] for number, row in enumerate(rows, 1)
    ]


@given(st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.:@/-]{0,30}", fullmatch=True))
def test_usual_user_ids_are_as_they_were(user_id: str) -> None:
    assert cell(user_id) == user_id


@pytest.mark.parametrize("value", RISKY)
def test_formulas_get_an_apostrophe(value: str) -> None:
    assert cell(value) == f"'{value}"
