"""What the data commands do to the database."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from graph.database import database_url, open_database
from graph.settings import Settings
from server.commands.members import load_sample, members_for_predictions, require_sample
from tools.errors import InputInvalid
from tools.exports import export_folder
from tools.ledger.erasure import erase_person, exported_runs
from tools.ledger.snapshot import record_snapshot
from tools.load import LoadProgress, LoadReport, load_file


async def load_export(
    settings: Settings,
    path: Path,
    *,
    table: str | None,
    as_of: datetime | None,
    progress: Callable[[LoadProgress], None] | None = None,
) -> LoadReport:
    """Load an export and note when it was taken.

    `as_of` without a zone is UTC. Left out, it is the file's time: an earlier moment only counts an offer twice,
    a later one would miss some. Raises what `load_file` raises.
    """
    target = table or settings.cardmember_table
    given = as_of if as_of is None or as_of.tzinfo else as_of.replace(tzinfo=UTC)
    if given is not None and given > datetime.now(UTC):
        raise InputInvalid(f"--as-of {given.isoformat()} lies in the future; give the time the export was taken")
    database = open_database(settings)
    try:
        await database.pool()
        report = await load_file(
            await database_url(settings),
            path,
            table=target,
            rejects_dir=settings.output_dir / "rejects",
            progress=progress,
            as_of=None if given is None else given.date(),
        )
        if report.rows_loaded:
            taken_at = given or min(datetime.fromtimestamp(path.stat().st_mtime, UTC), datetime.now(UTC))
            await record_snapshot(database, table=target, taken_at=taken_at)
        return report
    finally:
        await database.aclose()


async def add_sample(
    settings: Settings,
    *,
    n: int,
    seed: int,
    table: str | None,
    drawn: Callable[[int], None] | None = None,
    progress: Callable[[LoadProgress], None] | None = None,
) -> LoadReport:
    """Draw synthetic members and load them. Raises InputInvalid where they would mix with real ones."""
    own = settings if table is None else settings.model_copy(update={"cardmember_table": table})
    database = open_database(own)
    try:
        await require_sample(database, own.cardmember_table)
    finally:
        await database.aclose()
    return await load_sample(own, n=n, seed=seed, drawn=drawn, progress=progress)


async def predict(settings: Settings, path: Path, *, n: int, seed: int) -> None:
    """Write `n` predictions for the members in the table. Raises InputInvalid when there are none."""
    from tools.sample import sample_predictions, write_predictions

    database = open_database(settings)
    try:
        members = await members_for_predictions(database, settings.cardmember_table)
    finally:
        await database.aclose()
    if members.is_empty() and n:
        raise InputInvalid(
            f"table {settings.cardmember_table!r} holds no members to predict for; load some: `offers db load FILE`, "
            "or `offers db sample`"
        )
    try:
        write_predictions(sample_predictions(members, n=n, seed=seed), path)
    except OSError as error:
        raise InputInvalid(f"--out {path} can't be written: {error.strerror}; name another file") from error


async def erase_member(settings: Settings, user_id: str) -> tuple[int, int]:
    """Erase a person from decisions and exports; return how many decisions and files that were."""
    database = open_database(settings)
    try:
        runs = await exported_runs(database, user_id)
        decisions = await erase_person(database, user_id)
    finally:
        await database.aclose()
    files = 0
    for run_id, started_at in runs:
        for path in export_folder(settings.output_dir, run_id=run_id, sent_at=started_at).glob(f"{run_id}.*"):
            path.unlink(missing_ok=True)
            files += 1
    return decisions, files
