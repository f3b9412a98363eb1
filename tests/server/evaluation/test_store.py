"""Evaluations on disk: whole after any kill, found by the start of their name, one process at a time."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.evaluation.records import CaseResult, Manifest
from server.evaluation.store import RESULTS, Store
from tools.errors import InputInvalid

AT = datetime(2026, 12, 1, tzinfo=UTC)


def manifest(eval_id: str, **changes: object) -> Manifest:
    given = {
        "eval_id": eval_id, "prompt": "draft", "digests": {"draft": "d" * 16}, "model": "m", "endpoint": "configured",
        "copy_mode": "compose", "golden_sha": "g", "policy_set_sha": "p", "cases": 3, "repeat": 1, "started_at": AT,
    }  # fmt: skip
    return Manifest.model_validate(given | changes)


def result(number: int) -> CaseResult:
    return CaseResult(
        case_id=f"case-{number}", repeat=0, prompt_sha="", recommendation="offer_generated", elapsed_ms=1.0
    )


def test_results_come_back_in_order_and_a_run_is_finished_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.create(manifest("one"))
    store.append("one", [result(1)])
    store.append("one", [result(2), result(3)])
    assert [kept.case_id for kept in store.load("one").results] == ["case-1", "case-2", "case-3"]
    assert store.find("one").finished_at is None
    assert store.finish("one", AT).finished_at == AT == Store(tmp_path).find("o").finished_at


@pytest.mark.parametrize("torn", [1, 20, -1])
def test_a_torn_line_is_dropped_and_the_next_result_is_whole(tmp_path: Path, torn: int) -> None:
    store = Store(tmp_path)
    store.create(manifest("one"))
    store.append("one", [result(1), result(2)])
    path = tmp_path / "one" / RESULTS
    line = result(3).model_dump_json().encode()
    path.write_bytes(path.read_bytes() + line[:torn])
    assert [kept.case_id for kept in store.load("one").results] == ["case-1", "case-2"]
    store.append("one", [result(4)])
    assert [kept.case_id for kept in store.load("one").results] == ["case-1", "case-2", "case-4"]


def test_what_is_missing_ambiguous_or_taken_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(InputInvalid, match="no evaluation 'x'"):
        store.find("x")
    for name in ("ab-1", "ab-2", "ab"):
        store.create(manifest(name))
    assert store.find("ab").eval_id == "ab"
    with pytest.raises(InputInvalid, match="one of several: "):
        store.find("a")
    with pytest.raises(InputInvalid, match="exists already"):
        store.create(manifest("ab"))
    (tmp_path / "ab" / RESULTS).write_text('{"case_id": 1}\n')
    with pytest.raises(InputInvalid, match=r"results.jsonl:1 is no result"):
        store.load("ab")


def test_a_copy_of_a_run_is_not_taken_for_the_run(tmp_path: Path) -> None:
    store = Store(tmp_path / "evals")
    store.create(manifest("one"))
    (tmp_path / "evals" / "one").rename(tmp_path / "evals" / "two")
    with pytest.raises(InputInvalid, match=r"two/manifest.json is of evaluation 'one'; call its folder so"):
        store.find("one")


def test_one_process_at_a_time_adds_to_a_run(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.create(manifest("one"))
    with store.held("one"), pytest.raises(InputInvalid, match="another process"), Store(tmp_path).held("one"):
        raise AssertionError
    with store.held("one"):
        pass
