import json
from pathlib import Path

import pytest

from server.commands.predictions import read_predictions
from tools.errors import InputInvalid

ONE = {"user_id": "USER_1", "domain": "Travel", "confidence_score": 0.9}


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "document",
    [[ONE, ONE], {"predictions": [ONE, ONE]}, {"ml_output": {"total_users": 1, "predictions": [ONE, ONE]}}],
    ids=["list", "predictions", "ml_output"],
)
def test_every_json_shape_of_a_scoring_job_is_read(tmp_path: Path, document: object) -> None:
    assert read_predictions(write(tmp_path / "p.json", document)) == [ONE, ONE]


def test_one_prediction_is_a_file_of_one(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path / "p.json", ONE)) == [ONE]


def test_unknown_fields_are_dropped_and_the_body_s_flag_applies_to_each(tmp_path: Path) -> None:
    body = {"ml_output": {"predictions": [{**ONE, "shard": 7}]}, "use_llm_insights": False}
    assert read_predictions(write(tmp_path / "p.json", body)) == [{**ONE, "use_llm_insights": False}]


def test_what_is_no_prediction_stays_in_its_place(tmp_path: Path) -> None:
    assert read_predictions(write(tmp_path / "p.json", [ONE, None, 3, "x", ONE])) == [ONE, None, 3, "x", ONE]
    lines = f"{json.dumps(ONE)}\n\n{{broken\n{json.dumps(ONE)}\n"
    assert read_predictions(write(tmp_path / "p.jsonl", lines)) == [ONE, "p.jsonl, line 3: not JSON", ONE]


def test_csv_cells_become_numbers_and_flags_where_they_can(tmp_path: Path) -> None:
    text = (
        "\ufeffuser_id,domain,confidence_score,offer_flag,use_llm_insights,extra\r\n"
        '"U,\n1",Travel,0.9,1,false,x\r\n'
        "U2,Dining,high,2.5,maybe,\r\n"
        "U3,Dining\r\n"
    )
    first, second, third = read_predictions(write(tmp_path / "p.csv", text))
    assert first == {
        "user_id": "U,\n1", "domain": "Travel", "confidence_score": 0.9, "offer_flag": 1, "use_llm_insights": False,
    }  # fmt: skip
    assert second == {
        "user_id": "U2", "domain": "Dining", "confidence_score": "high", "offer_flag": 2.5, "use_llm_insights": "maybe",
    }  # fmt: skip
    assert third == "U3,Dining (2 cells for 6 columns)"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("p.csv", "user_id,domain\nU,Travel\n", "the header lacks confidence_score"),
        ("p.csv", "", "the header lacks user_id, domain, confidence_score"),
        ("p.json", '{"a": 1,\n "b": }', "p.json:2:7: not JSON"),
        ("p.json", '{"predictions": 3}', "predictions is int; expected a list"),
        ("p.txt", "", "can't read predictions from .txt"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused_with_the_place(
    tmp_path: Path, name: str, content: str, told: str
) -> None:
    with pytest.raises(InputInvalid) as refused:
        read_predictions(write(tmp_path / name, content))
    assert told in str(refused.value)


def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(b'["\xff"]')
    with pytest.raises(InputInvalid, match="byte 2 is not UTF-8"):
        read_predictions(path)
