import csv
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from tools.columns import NAMES
from tools.load import LoadReport, load_file
from tools.sample import sample_members
from tools.spreadsheet import value_of

Load = Callable[..., Awaitable[LoadReport]]


@pytest.fixture
def good() -> dict[str, str]:
    """A row that loads, as text by column."""
    return csv_rows(sample_members(6).write_csv())[5]


@pytest.fixture
def table(request: pytest.FixtureRequest) -> str:
    return "load_" + str(abs(hash(request.node.name)))


@pytest.fixture
def load(postgres_url: str, tmp_path: Path, table: str) -> Load:
    """Write the content to a file of the name, and load it."""

    async def load(content: str | bytes, name: str = "members.csv", **options: Any) -> LoadReport:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return await load_file(postgres_url, path, table=table, rejects_dir=tmp_path / "rejects", **options)

    return load


@pytest.fixture
def held(postgres_url: str, table: str) -> Callable[[], dict[str, dict[str, Any]]]:
    """The table's rows by user_id; none when there is no table."""

    def read() -> dict[str, dict[str, Any]]:
        with psycopg.connect(postgres_url, row_factory=dict_row) as conn:
            if conn.execute("select to_regclass(%s) as t", [table]).fetchone() == {"t": None}:
                return {}
            rows = conn.execute(sql.SQL("select * from {}").format(sql.Identifier(table))).fetchall()
        return {row["user_id"]: row for row in rows}

    return read


def csv_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def write_csv(*rows: dict[str, str], header: tuple[str, ...] = NAMES, end: str = "\n") -> str:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, header, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def read_rejects(report: LoadReport) -> list[tuple[int, str, str, str]]:
    if report.rejects_path is None:
        return []
    rows = csv_rows(report.rejects_path.read_bytes().decode())
    return [
        (int(row["line"]), value_of(row["column"]), value_of(row["value"]), value_of(row["reason"])) for row in rows
    ]


@pytest.fixture
def csv_text() -> Callable[..., str]:
    return write_csv


@pytest.fixture
def rejects() -> Callable[[LoadReport], list[tuple[int, str, str, str]]]:
    return read_rejects
