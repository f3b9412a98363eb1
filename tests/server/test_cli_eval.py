"""`offers eval`: run, stopped, killed, resumed, compared; what it refuses, and what it exits with."""

import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from graph.settings import ROOT
from server.evaluation.records import CaseResult, Manifest
from server.evaluation.store import RESULTS, Store
from tests.scripted_model import Call, Hang, ScriptedModel, written
from tests.scripted_model.versions import Versions
from tests.scripted_model.writing import FAULTS, chance
from tests.server.commands import Offers, run_here, start

CASES = 9


class Endpoint:
    """Answers by the request alone: a first draft of `draft` conforms in half the prompts, of `draft@b` always.

    After `limit` drafts it answers no more until `limit` is raised.
    """

    def __init__(self, prompts: Path) -> None:
        self._versions, self.drafts, self.limit = Versions(prompts, "draft"), 0, 10**9
        self.asked: set[str | None] = set()

    def __call__(self, call: Call) -> Any:
        self.drafts += 1
        self.asked.add(self._versions.of(call.text))
        if self.drafts > self.limit:
            return Hang()
        key = sha256(call.text.encode()).hexdigest()
        plain = self._versions.of(call.text) == "draft"
        failing = "sent back" not in call.text and plain and chance(key) < 0.5
        return written(call, key=key, fault=FAULTS[0][1] if failing else None)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    shutil.copytree(ROOT / "prompts", folder)
    source = (folder / "draft.md").read_text()
    (folder / "draft@b.md").write_text(source.replace("warm and plain", "short, warm and plain"))
    return folder


@pytest.fixture
def endpoint(script: ScriptedModel, prompts: Path) -> Endpoint:
    found = Endpoint(prompts)
    script.reply("draft_compose", found)
    return found


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    data_dir: Path,
    chroma_eval: Path,
    endpoint: Endpoint,
    script: ScriptedModel,
    prompts: Path,
    tmp_path: Path,
) -> Offers:
    monkeypatch.chdir(tmp_path)
    environment = {
        "DATABASE_URL": database_url,
        "LLM_BASE_URL": script.base_url,
        "OPENROUTER_MODEL": "scripted",
        "OPENROUTER_API_KEY": "test-key",
        "DATA_DIR": str(data_dir),
        "CHROMA_DIR": str(chroma_eval),
        "PROMPTS_DIR": str(prompts),
        "OUTPUT_DIR": "output",
        "LLM_MAX_CONCURRENCY": "3",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return lambda *arguments: run_here(capsys, monkeypatch, "eval", *arguments)


@pytest.fixture(scope="session")
def chroma_eval(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of its own: users of one folder share Chroma's client."""
    return tmp_path_factory.mktemp("chroma-eval")


def told(result: CaseResult) -> dict[str, Any]:
    """Return all of a result but what a clock says."""
    plain = result.model_dump(exclude={"elapsed_ms"})
    for call in plain["calls"]:
        call.pop("elapsed_ms")
    return plain


def results(store: Store, manifest: Manifest) -> list[dict[str, Any]]:
    return sorted((told(result) for result in store.load(manifest.eval_id).results), key=lambda kept: kept["case_id"])


def lines(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob(f"*/{RESULTS}"))


def until(holds: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    while not holds():
        if process.poll() is not None:
            raise AssertionError(process.communicate())
        time.sleep(0.02)


def test_stopped_and_killed_runs_go_on_to_the_results_of_an_undisturbed_one(
    offers: Offers, endpoint: Endpoint, tmp_path: Path
) -> None:
    arguments = ("--prompt", "draft@b", "--against", "draft", "--members", str(CASES))
    assert offers(*arguments, "--out", "calm").code == 0
    calm = Store(tmp_path / "calm")

    disturbed, endpoint.drafts = tmp_path / "disturbed", 0
    endpoint.limit = 6
    process = start("eval", *arguments, "--out", str(disturbed))
    until(lambda: endpoint.drafts > endpoint.limit and lines(disturbed) >= 3, process)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    kept = lines(disturbed)
    assert f"{kept} of {2 * CASES} results are kept" in errors
    assert f"eval --prompt draft@b --members {CASES} --repeat 1 --against draft --out" in " ".join(errors.split())

    endpoint.limit = endpoint.drafts + 6
    process = start("eval", *arguments, "--out", str(disturbed))
    until(lambda: endpoint.drafts > endpoint.limit and lines(disturbed) > kept, process)
    process.kill()
    process.communicate()
    torn = next(disturbed.glob(f"*/{RESULTS}"))
    torn.write_bytes(torn.read_bytes() + b'{"case_id": "case-0')

    endpoint.limit = 10**9
    ran = offers(*arguments, "--out", str(disturbed))
    assert ran.code == 0, ran.err
    assert ran.err.count("goes on where it stopped") == 2
    store = Store(disturbed)
    assert [one.prompt for one in store.list()] == [one.prompt for one in calm.list()]
    for one in store.list():
        twin = next(other for other in calm.list() if other.prompt == one.prompt)
        assert one.finished_at is not None
        assert results(store, one) == results(calm, twin)
        assert len(store.load(one.eval_id).results) == CASES


def test_versions_are_run_compared_listed_and_gated(
    offers: Offers, endpoint: Endpoint, prompts: Path, tmp_path: Path
) -> None:
    ran = offers("--prompt", "draft", "--against", "draft@b", "--members", "24", "--gate")
    assert ran.code == 1, ran.err
    assert "worse" in ran.out
    reports = [line.removeprefix("report: ") for line in ran.out.splitlines() if line.startswith("report: ")]
    assert [Path(report).suffix for report in reports] == [".md", ".html"]
    assert all(Path(report).read_text() for report in reports)
    folder = Path(reports[0]).parents[2]
    plain, better = sorted(Store(folder).list(), key=lambda one: one.prompt)
    passed = [
        result.attempts[0].verdict == "pass" for result in Store(folder).load(plain.eval_id).results if result.attempts
    ]
    assert f"{100 * sum(passed) / len(passed):.1f} %" in ran.out

    listed = offers("list")
    assert plain.eval_id in listed.out and better.eval_id in listed.out
    drafts = endpoint.drafts
    assert "better" in offers("compare", plain.eval_id, better.eval_id).out
    assert endpoint.drafts == drafts

    stored = offers("--prompt", "draft@b", "--members", "12", "--against", better.eval_id, "--gate", "--strict")
    assert stored.code == 3, stored.err
    assert "can't tell" in stored.out
    shutil.rmtree(folder)

    one = offers("--prompt", "draft", "--members", "6", "--out", "one")
    assert one.code == 0 and "First draft passes" in one.out
    (only,) = Store(tmp_path / "one").list()
    path = tmp_path / "one" / only.eval_id / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"finished_at": None}))
    (prompts / "draft.md").write_text((prompts / "draft.md").read_text().replace("warm and plain", "warm"))
    refused = offers("--resume", only.eval_id, "--out", "one")
    assert refused.code == 1
    assert f"prompt draft was {only.digests['draft']}, is " in refused.err
    anew = offers("--prompt", "draft", "--members", "6", "--out", "one")
    assert anew.code == 0 and f"unfinished {only.eval_id} is left as it is" in anew.err


def test_what_can_not_be_compared_is_refused_before_a_model_is_asked(
    offers: Offers, script: ScriptedModel, tmp_path: Path
) -> None:
    golden = tmp_path / "golden"
    golden.mkdir()
    for name in ("golden.json", "cases.jsonl", "members.csv"):
        shutil.copy(ROOT / "tests" / "golden" / name, golden)
    (golden / "golden.json").write_text('{"format": 1, "send_date": "2026-12-02"}')
    assert offers("--members", "2", "--out", "kept", "--golden", str(golden)).code == 0
    (other,) = Store(tmp_path / "kept").list()
    asked = script.count
    for arguments, said in (
        (("--against", other.eval_id), "it is of another golden set"),
        (("--against", "draft"), "--against draft is the very text of draft"),
        (("--prompt", "draft@z"), "there is no prompts/draft@z.md; allowed: analyze, draft, draft@b, judge"),
        (("--prompt", "drift"), "'drift' is no version of a prompt"),
        (("--against", "2020"), "no evaluation '2020'"),
        (("--golden", str(tmp_path)), "--golden DIR"),
    ):
        ran = offers("--members", "2", "--out", "kept", *arguments)
        assert ran.code == 1
        assert said in ran.err
    assert offers("--gate").code == 2
    few = offers("--prompt", "draft@b", "--against", "draft", "--members", "9", "--gate")
    assert few.code == 2 and "--members 10" in " ".join(few.err.split())  # a gate of fewer could never close
    itself = offers("--resume", other.eval_id, "--against", other.eval_id, "--out", "kept", "--golden", str(golden))
    assert itself.code == 1 and "itself; name another" in itself.err
    assert offers("--resume", "x", "--prompt", "draft").code == 2
    assert script.count == asked
    assert len(Store(tmp_path / "kept").list()) == 1


def test_a_split_of_members_mixes_no_other_version_into_an_evaluation(
    offers: Offers, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMPT_SPLIT", '{"draft": {"b": 100}}')
    ran = offers("--prompt", "draft", "--members", "4", "--out", "split")
    assert ran.code == 0, ran.err
    assert endpoint.asked == {"draft"}


def test_a_gate_stays_closed_where_too_few_cases_compare(offers: Offers, tmp_path: Path) -> None:
    assert offers("--prompt", "draft@b", "--members", "3", "--out", "few").code == 0
    (stored,) = Store(tmp_path / "few").list()
    ran = offers("--prompt", "draft", "--members", "10", "--against", stored.eval_id, "--out", "few", "--gate")
    assert ran.code == 1
    assert "the gate stays closed: 3 cases" in ran.err


def test_results_are_not_mixed_where_something_else_that_decides_has_changed(
    offers: Offers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert offers("--prompt", "draft", "--members", "2", "--out", "kept").code == 0
    (only,) = Store(tmp_path / "kept").list()
    path = tmp_path / "kept" / only.eval_id / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"finished_at": None}))
    monkeypatch.setenv("MAX_REVISIONS", "0")
    refused = offers("--resume", only.eval_id, "--out", "kept")
    assert refused.code == 1
    assert "MAX_REVISIONS was 2, is 0" in refused.err


def test_nothing_is_kept_where_nothing_was_evaluated(offers: Offers) -> None:
    assert "no evaluation in" in offers("list", "--out", "none").told
