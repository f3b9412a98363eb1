from pathlib import Path

import pytest
from pydantic import BaseModel

from tools.errors import PolicyInvalid
from tools.yaml_lines import parse_yaml, read_model, read_yaml

FILE = Path("ladder.yaml")


class Row(BaseModel):
    id: str
    days: int


class Table(BaseModel):
    rows: list[Row]


def test_lines_point_at_keys_and_list_items() -> None:
    value, lines = parse_yaml("a: 1\nrows:\n  - id: x\n    days: 2\n  - id: y\n", FILE)
    assert value == {"a": 1, "rows": [{"id": "x", "days": 2}, {"id": "y"}]}
    assert lines.at("rows") == 2
    assert lines.at("rows", 0, "days") == 4
    assert lines.at("rows", 1) == 5
    assert lines.at("rows", 1, "days") == 5  # absent: the nearest thing above it
    assert lines.at("nowhere") == 1


def test_front_matter_counts_from_its_place_in_the_file() -> None:
    _, lines = parse_yaml("a: 1\nb: 2\n", FILE, first_line=10)
    assert lines.at("b") == 11


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\na: 2\n", 2, "written twice"),
        ("a: [1, 2\nb: 3\n", 2, "broken YAML"),
        ("a: !!python/object/apply:os.system [x]\n", 1, "broken YAML"),
        ("a: 2026-02-30\n", 1, "broken YAML"),
        ("a: 1\n---\nb: 2\n", 2, "broken YAML"),
    ],
)
def test_broken_yaml_is_refused_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(PolicyInvalid) as caught:
        parse_yaml(text, FILE)
    assert caught.value.line == line
    assert words in caught.value.reason


def test_a_wrong_value_is_refused_with_field_and_line(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text("rows:\n  - id: x\n    days: 1\n  - id: y\n    days: soon\n", encoding="utf-8")
    with pytest.raises(PolicyInvalid) as caught:
        read_model(path, Table)
    assert (caught.value.path, caught.value.line) == (path, 5)
    assert caught.value.reason.startswith("rows.1.days: ")


def test_a_missing_or_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match="can't be read"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(PolicyInvalid, match="can't be read"):
        read_yaml(tmp_path / "latin.yaml")


@pytest.mark.parametrize(
    ("text", "path", "words", "place"),
    [
        ("a: 'it''s (x'\n", ("a",), "(x", (1, 11)),
        ("a: >-\n  one two\n  three\n", ("a",), "three", (3, 3)),
        ("a: |\n  one\n  two three\n", ("a",), "three", (3, 7)),
        ('a: "q\\"\\u200bz (y"\n', ("a",), "(y", (1, 16)),
        ("a: [plain text, 'x y']\n", ("a", 1), "y", (1, 20)),
    ],
)
def test_a_place_inside_a_text_is_where_the_file_writes_it(
    text: str, path: tuple[str | int, ...], words: str, place: tuple[int, int]
) -> None:
    value, lines = parse_yaml(text, FILE)
    for key in path:
        value = value[key]  # type: ignore[index]
    assert lines.place(*path, offset=str(value).index(words)) == place


def test_faults_name_their_column() -> None:
    with pytest.raises(PolicyInvalid) as caught:
        parse_yaml("a: 1\nb: {c: 2, c: 3}\n", FILE)
    assert (caught.value.line, caught.value.column) == (2, 11)
    assert str(caught.value) == "ladder.yaml:2:11: key 'c' is written twice"


def test_nesting_without_end_is_refused_and_the_process_lives_on() -> None:
    with pytest.raises(PolicyInvalid, match="nested too deeply"):
        parse_yaml("a: " + "[" * 5_000 + "]" * 5_000, FILE)
