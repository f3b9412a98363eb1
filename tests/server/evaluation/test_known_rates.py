"""Evaluations of a model whose pass probabilities are known: what is reported is what the endpoint did."""

import shutil
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from graph.deps import Deps, open_deps
from graph.settings import ROOT, Settings
from server.evaluation.compare import compare, row_of
from server.evaluation.golden import load_golden
from server.evaluation.plan import Version, planned
from server.evaluation.report import write_report
from server.evaluation.runner import Runner, jobs
from server.evaluation.services import close_models, evaluation_deps, evaluation_settings
from server.evaluation.store import Store
from tests.scripted_model import Call, ScriptedModel, Writer, judged
from tests.scripted_model.versions import Versions
from tests.scripted_model.writing import FAULTS

GOLDEN = ROOT / "tests" / "golden"
RATES = {"draft": 0.2, "draft@b": 0.95}
CASES, REPEAT = 14, 1
VERSIONS = ("draft", "draft@b")


class Counting(Writer):
    """Counts, by version, the first drafts it was asked for, those that conform, and every draft."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, RATES, seed=3)
        self._folder = Versions(folder, "draft")
        self.first, self.passing, self.drafts = Counter[str](), Counter[str](), Counter[str]()

    def __call__(self, call: Call) -> dict[str, Any]:
        answer = super().__call__(call)
        version = self._folder.of(call.text)
        self.drafts[version] += 1
        if "sent back" not in call.text:
            self.first[version] += 1
            self.passing[version] += not any(fault in answer.get("body", "") for _, fault in FAULTS)
        return answer


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    folder = tmp_path / "prompts"
    shutil.copytree(ROOT / "prompts", folder)
    source = (folder / "draft.md").read_text(encoding="utf-8")
    assert "warm and plain" in source
    (folder / "draft@b.md").write_text(source.replace("warm and plain", "short and plain"), encoding="utf-8")
    return folder


@pytest.fixture
async def opened(settings: Settings, prompts: Path) -> AsyncIterator[Deps]:
    ours = settings.model_copy(update={"copy_mode": "compose", "prompts_dir": prompts})
    opened = await open_deps(evaluation_settings(ours))
    yield opened
    await opened.aclose()


async def test_reported_rates_are_the_endpoints_own_and_the_better_version_is_found(
    opened: Deps, prompts: Path, script: ScriptedModel, tmp_path: Path
) -> None:
    writer = Counting(prompts)
    script.reply("draft_compose", writer)
    script.reply("judge", judged)
    golden, store = load_golden(GOLDEN), Store(tmp_path / "evaluations")
    deps = evaluation_deps(opened, golden)
    manifests = [planned(Version.of(name), deps, golden, cases=CASES, repeat=REPEAT) for name in VERSIONS]
    for manifest in manifests:
        store.create(manifest)
    runner = Runner(deps, golden, store)
    await runner.run(jobs(golden, manifests, ()), advanced=lambda result: None)
    for manifest in manifests:
        await runner.finish(manifest)
    await close_models(deps)

    drafting = sum(case.expect == "drafts" for case in golden.cases[:CASES])
    told = compare(*(store.load(manifest.eval_id) for manifest in manifests))
    first, drafts = row_of(told.rows, "first_pass"), row_of(told.rows, "attempts")
    assert first is not None and drafts is not None
    for version, summary, rate, attempts in (
        ("draft", told.before, first.a, drafts.a),
        ("draft@b", told.after, first.b, drafts.b),
    ):
        assert summary.drafted == writer.first[version] == drafting * REPEAT
        assert rate == pytest.approx(writer.passing[version] / writer.first[version])
        assert summary.drafts == writer.drafts[version]
        assert attempts == pytest.approx(writer.drafts[version] / writer.first[version])
        assert (
            sum(clause.first for clause in summary.clauses.values()) >= writer.first[version] - writer.passing[version]
        )
    assert first.interval.low is not None and first.interval.high is not None
    assert first.interval.low < RATES["draft@b"] - RATES["draft"] < first.interval.high
    assert told.verdict.word == "better"
    assert "short and plain" not in write_report(tmp_path / "report", told).html.read_text(encoding="utf-8")
