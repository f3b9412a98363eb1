"""Parts that are down: typed outcomes, nothing issued, nothing raised."""

from pathlib import Path

from graph.build import build_graph
from graph.context import Context
from graph.deps import Deps, open_deps
from graph.run import decide
from graph.settings import Settings
from tests.conftest import Decide
from tests.scripted_model import ScriptedModel

RAW = {"user_id": "USER_GOLD", "domain": "Travel", "confidence_score": 0.9}


async def test_a_database_that_is_down_is_an_error_and_never_not_found(settings: Settings, tmp_path: Path) -> None:
    nowhere = settings.model_copy(update={"database_url": type(settings.database_url)("postgresql://127.0.0.1:1/x")})
    deps = await open_deps(nowhere)
    outcome = await decide(RAW, build_graph(deps), Context(mode="issue"), deadline_s=30)
    await deps.aclose()
    assert (outcome.recommendation, outcome.error_code) == ("error", "database_unavailable")
    assert (outcome.success, outcome.offer) == (False, None)


async def test_a_database_that_dies_before_the_record_lets_no_offer_leave(
    deps: Deps, run_one: Decide, script: ScriptedModel, settings: Settings
) -> None:
    async def lock_out() -> None:
        async with deps.database.connection() as connection:
            await connection.execute("alter table decision rename to decision_away")

    await lock_out()
    outcome = await run_one()
    assert (outcome.recommendation, outcome.success, outcome.email_html) == ("error", False, None)
    await deps.exporter.drain()
    assert not settings.output_dir.exists()
    async with deps.database.connection() as connection:
        await connection.execute("alter table decision_away rename to decision")
        cursor = await connection.execute("select count(*) from offer")
        assert await cursor.fetchone() == (0,)


async def test_an_index_that_is_down_only_degrades(settings: Settings, deps: Deps, tmp_path: Path) -> None:
    broken = tmp_path / "chroma"
    broken.write_text("not a folder")
    other = await open_deps(settings.model_copy(update={"chroma_dir": broken}))
    outcome = await decide(RAW, build_graph(other), Context(mode="issue"), deadline_s=30)
    record, *_ = await other.records.read(outcome.run_id) or ({},)
    await other.aclose()
    assert outcome.recommendation == "offer_generated"
    assert any("retrieve_policies" in note for note in record["degraded"])
