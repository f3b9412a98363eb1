"""The golden set through the real graph: what is kept of each case, and what is not touched."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from graph.deps import Deps
from graph.settings import Settings
from server.evaluation.golden import GoldenSet, load_golden
from server.evaluation.plan import Version, planned
from server.evaluation.records import CaseResult
from server.evaluation.runner import Runner, jobs
from server.evaluation.services import close_models, evaluation_deps
from server.evaluation.store import Store
from tests.golden.__main__ import FOLDER
from tests.scripted_model import Call, ScriptedModel, Status, written
from tools.database import Database
from tools.errors import ModelUnavailable

HURRY = "Hurry, this is your last chance! "
BROKEN = ("UDAAP-06/no_false_urgency", "UDAAP-06/last_chance_is_true")
HOPE = {"text": "Offers are opened often, so a clear headline is likely to be read.", "cites": ["engagement"]}
GUESS = {"text": "Spending fell, perhaps after a divorce.", "cites": ["spend_trend"]}


def answer(call: Call) -> dict[str, Any]:
    """Conform, but hurry in the first draft for Dining, and always for Retail."""
    first = "sent back" not in call.text
    hurried = "Member: Retail" in call.text or (first and "Member: Dining" in call.text)
    return written(call, key=sha256(call.text.encode()).hexdigest(), fault=HURRY if hurried else None)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"copy_mode": "compose", "delivery_channels": (), "llm_max_concurrency": 4})


@pytest.fixture
def golden() -> GoldenSet:
    """Six drafted cases, a domain each, and four that are tricky: two of them held back."""
    whole = load_golden(FOLDER)
    names = ("opted_out", "instruction_as_name", "sleeping_dog", "slots_as_name")
    tricky = [next(case for case in whole.cases if case.kind == name) for name in names]
    return replace(whole, cases=(*whole.cases[:6], *tricky))


@pytest.fixture
async def anew(deps: Deps, golden: GoldenSet, script: ScriptedModel) -> AsyncIterator[Deps]:
    script.reply("draft_compose", answer)
    script.reply("analyze_compose", {"hypotheses": [HOPE, GUESS]})
    opened = evaluation_deps(deps, golden)
    yield opened
    await close_models(opened)


async def rows_of(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        names = await (
            await connection.execute("select tablename from pg_tables where schemaname = 'public'")
        ).fetchall()
        counts = {}
        for (name,) in names:
            query = sql.SQL("select count(*) from {}").format(sql.Identifier(name))
            counts[name] = (await (await connection.execute(query)).fetchone() or (0,))[0]
    return counts


async def evaluated(deps: Deps, golden: GoldenSet, store: Store, *prompts: str, repeat: int = 1) -> list[str]:
    manifests = [
        planned(Version.of(prompt), deps, golden, cases=len(golden.cases), repeat=repeat) for prompt in prompts
    ]
    for manifest in manifests:
        store.create(manifest)
    heard: list[CaseResult] = []
    await Runner(deps, golden, store).run(jobs(golden, manifests, ()), advanced=heard.append)
    assert len(heard) == len(golden.cases) * repeat * len(prompts)
    return [manifest.eval_id for manifest in manifests]


def verdicts(result: CaseResult) -> list[str]:
    return [attempt.verdict for attempt in result.attempts]


async def test_every_figure_of_a_case_is_what_happened(
    anew: Deps, golden: GoldenSet, script: ScriptedModel, tmp_path: Path
) -> None:
    before = await rows_of(anew.database)
    store = Store(tmp_path)
    (eval_id,) = await evaluated(anew, golden, store, "draft", repeat=2)
    by_case = {(result.case_id, result.repeat): result for result in store.load(eval_id).results}
    assert set(by_case) == {(case.case_id, repeat) for case in golden.cases for repeat in (0, 1)}
    drafted = 0
    for case in golden.cases:
        result = by_case[case.case_id, 0]
        again = by_case[case.case_id, 1]
        assert (result.prompt_sha, result.option_id, verdicts(result)) == (
            again.prompt_sha, again.option_id, verdicts(again)
        )  # fmt: skip
        if case.expect != "drafts":
            assert result.recommendation == f"suppressed_{case.expect}"
            assert (result.attempts, result.calls, result.prompt_sha, result.copy_text) == ((), (), "", {})
            continue
        drafted += 1
        assert (result.recommendation, result.error_code) == ("offer_generated", None)
        assert (result.hypotheses_kept, result.hypotheses_dropped) == (1, 1)
        asked = Counter(call.step for call in result.calls)
        match case.domain:
            case "Retail":
                assert verdicts(result) == ["violate", "violate", "violate", "pass"]  # MAX_REVISIONS is 2
                assert (result.copy_source, result.loop_end) == ("fallback", "attempts")
                assert asked == {"analyze_compose": 1, "draft_compose": 3}  # no judge is asked of approved copy
            case "Dining":
                assert verdicts(result) == ["violate", "pass"]
                assert (result.copy_source, result.loop_end) == ("model", None)
                assert asked == {"analyze_compose": 1, "draft_compose": 2, "judge": 1}
            case _:
                assert verdicts(result) == ["pass"]
                assert (result.copy_source, result.loop_end) == ("model", None)
                assert asked == {"analyze_compose": 1, "draft_compose": 1, "judge": 1}
        for attempt in result.attempts:
            wanted = set(BROKEN) if attempt.verdict == "violate" else set()
            assert set(attempt.violations) == wanted
            assert set(attempt.quotes) <= wanted
        last = result.attempts[-1].draft
        assert last is not None
        assert (result.option_id, result.merchant_ids) == (last.option_id, last.merchant_ids)
        assert set(result.copy_text) == {"subject", "preheader", "headline", "body", "cta"}
        assert not re.search(r"[{}]", " ".join(result.copy_text.values()))
        assert not any(call.cached for call in result.calls)
        first = next(call for call in result.calls if call.step == "draft_compose")
        assert result.prompt_sha == first.prompt_sha
        assert result.elapsed_ms >= max(call.elapsed_ms for call in result.calls)
    assert drafted == 8
    results = list(by_case.values())
    assert len(script.calls) == sum(call.attempts for result in results for call in result.calls)
    told = [call for result in results for call in result.calls]
    assert sum(call.input_tokens for call in told) == sum(-(-len(call.text) // 4) for call in script.calls)
    assert len({result.prompt_sha for result in results if result.prompt_sha}) == 8
    assert await rows_of(anew.database) == before


async def test_nothing_of_a_member_is_kept_or_asked(
    anew: Deps, golden: GoldenSet, script: ScriptedModel, tmp_path: Path
) -> None:
    await evaluated(anew, golden, Store(tmp_path), "draft")
    seen = "\n".join([*(path.read_text() for path in tmp_path.rglob("*.json*")), *(call.text for call in script.calls)])
    for case in golden.cases:
        member = golden.members[case.user_id]
        personal = [member.user_id, member.name, member.location, member.email, member.total_spend_12m]
        assert [value for value in personal if value is not None and str(value) in seen] == []


async def test_an_endpoint_that_is_gone_ends_the_run_and_spoils_no_case(
    anew: Deps, golden: GoldenSet, script: ScriptedModel, tmp_path: Path
) -> None:
    def until_gone(call: Call) -> Any:
        if "Member: Business Services" in call.text:
            script.stop()
            return Status(400)
        return answer(call)

    script.reply("draft_compose", until_gone)
    store = Store(tmp_path)
    with pytest.raises(ModelUnavailable):
        await evaluated(anew, golden, store, "draft")
    (manifest,) = store.list()
    assert not any(call.error_code for result in store.load(manifest.eval_id).results for call in result.calls)


def test_versions_take_turns_case_by_case(golden: GoldenSet) -> None:
    class Asked:
        def __init__(self, eval_id: str) -> None:
            self.eval_id, self.cases, self.repeat = eval_id, 4, 2

    a: Any = Asked("a")
    b: Any = Asked("b")

    def order(done: Iterable[tuple[str, str, int]] = ()) -> list[tuple[str, str, int]]:
        return [(job.manifest.eval_id, job.case.case_id, job.repeat) for job in jobs(golden, (a, b), done)]

    whole = order()
    assert len(whole) == len(set(whole)) == 16
    pairs = list(zip(whole[::2], whole[1::2], strict=True))
    assert all(one[1:] == other[1:] and one[0] != other[0] for one, other in pairs)
    assert Counter(one[0] for one, _ in pairs) == {"a": 4, "b": 4}
    assert order(whole[:5]) == whole[5:]
