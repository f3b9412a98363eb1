"""CSV that people open in a spreadsheet: no value of it is taken for a formula.

As OWASP's "CSV Injection" has it: a value that begins with a sign of a formula gets an apostrophe before it. So does
one that begins with an apostrophe, so that whoever reads the file by program gets each value back by taking one
apostrophe off. No user_id of usual make begins with any of them, and is as it was.
"""

import csv
from collections.abc import Iterable, Sequence
from typing import Final, TextIO

SIGNS: Final = frozenset("=+-@\t\r\n＝＋－＠'")
"""What a value may not begin with, also after spaces; spreadsheets take the wide ones for the others."""
MARK: Final = "'"
READING: Final = (
    "values that begin with =, +, -, @, an apostrophe, a tab or a line break, also after spaces, have an apostrophe put"
    " before them, so that no spreadsheet runs them; a program takes it off"
)
"""How such a file is to be read, for those who read it by program."""


def cell(value: str) -> str:
    """Return a value as it may stand in a cell."""
    rest = value.lstrip()
    is_risky = rest[:1] in SIGNS or not SIGNS.isdisjoint(value[: len(value) - len(rest)])
    return MARK + value if is_risky else value


def value_of(cell: str) -> str:
    """Return the value of a cell that was written so."""
    return cell.removeprefix(MARK)


class Sheet:
    """Writes rows of values to a file that was opened with newline=''; texts become cells, numbers stay as they are."""

    def __init__(self, file: TextIO, header: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(header)

    def writerow(self, values: Iterable[str | int]) -> None:
        """Write one row. Raises OSError."""
        self._writer.writerow([cell(value) if isinstance(value, str) else value for value in values])

    def writerows(self, rows: Iterable[Iterable[str | int]]) -> None:
        """Write several rows. Raises OSError."""
        for row in rows:
            self.writerow(row)
