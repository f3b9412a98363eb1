"""Writing an export: offers, mails where asked for, who gets none, and a manifest that vouches for all of it."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import polars as pl
from psycopg import AsyncConnection

from graph.deps import Deps
from server.campaign.export.rows import SCHEMA, Renderer, json_line
from server.campaign.export.target import Target, digest
from tools.errors import TemplateFault
from tools.ledger.campaigns import Campaign, find_id
from tools.ledger.outgoing import Outgoing, cohort_record, outgoing, without
from tools.spreadsheet import READING, Sheet

FORMAT: Final = 1
"""Version of the manifest's layout."""

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the mails is exported beside the offers' fields."""

    eml: bool = False
    html: bool = False

    @property
    def mails(self) -> bool:
        """Whether mails are rendered at all."""
        return self.eml or self.html


@dataclass(slots=True)
class Exported:
    """What an export holds. `withheld` and `failed` count offers that did not leave, by reason."""

    offers: int = 0
    without: int = 0
    mails: int = 0
    withheld: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    manifest: bytes = b""


async def build(
    campaign: Campaign,
    deps: Deps,
    target: Target,
    folder: Path,
    wanted: Wanted,
    *,
    progress: Callable[[int], None] = lambda offers: None,
) -> Exported:
    """Write the export of a campaign into a folder: the same ledger gives the same bytes.

    An offer that is held, whose member opted out, or whose mail can't be rendered as it was checked stays back, and is
    listed with its reason. Raises DatabaseUnavailable.
    """
    done = Exported()
    async with deps.database.connection() as connection:
        await connection.execute("set transaction isolation level repeatable read read only")
        now = await find_id(connection, campaign.campaign_id)
        assert now is not None  # campaigns are never deleted
        with (
            (folder / "offers.jsonl").open("w", encoding="utf-8") as lines,
            (folder / target.name("suppressed")).open("w", encoding="utf-8", newline="") as table,
        ):
            writer = Sheet(table, ("user_id", "domain", "outcome", "reasons"))
            await _offers(connection, now, deps, lines, writer, folder, wanted, done, progress)
            async for batch in without(connection, now.campaign_id):
                done.without += len(batch)
                await asyncio.to_thread(
                    writer.writerows, [(one.user_id, one.domain, one.outcome, one.reasons) for one in batch]
                )
    await asyncio.to_thread(_shaped, folder, target)
    done.manifest = await asyncio.to_thread(_manifest, now, target, folder, done)
    return done


async def _offers(
    connection: AsyncConnection,
    campaign: Campaign,
    deps: Deps,
    lines: IO[str],
    table: Sheet,
    folder: Path,
    wanted: Wanted,
    done: Exported,
    progress: Callable[[int], None],
) -> None:
    cohort_id, renderer = -1, None
    async for batch in outgoing(connection, campaign.campaign_id):
        start = 0
        for place, offer in enumerate([*batch, None]):
            if offer is not None and offer.cohort_id == cohort_id and renderer is not None:
                continue
            if renderer is not None and place > start:
                await asyncio.to_thread(_write, batch[start:place], renderer, lines, table, folder, wanted, done)
            start = place
            if offer is not None:
                cohort_id = offer.cohort_id
                renderer = Renderer(await cohort_record(connection, campaign.campaign_id, cohort_id), deps)
        progress(len(batch))


def _write(
    offers: Sequence[Outgoing],
    renderer: Renderer,
    lines: IO[str],
    table: Sheet,
    folder: Path,
    wanted: Wanted,
    done: Exported,
) -> None:
    for offer in offers:
        if offer.withheld is not None:
            done.withheld[offer.withheld] += 1
            table.writerow((offer.user_id, offer.domain, "withheld", offer.withheld))
            continue
        try:
            row = renderer.row(offer)
            if wanted.mails:
                _write_mail(offer, renderer, folder, wanted)
        except TemplateFault as error:
            done.failed[str(error)] += 1
            table.writerow((offer.user_id, offer.domain, "not exported", str(error)))
            continue
        lines.write(json_line(row))
        done.offers += 1
        done.mails += wanted.mails


def _write_mail(offer: Outgoing, renderer: Renderer, folder: Path, wanted: Wanted) -> None:
    message = renderer.message(offer)
    for suffix, content, is_wanted in (
        ("eml", message.eml, wanted.eml),
        ("html", message.html.encode(), wanted.html),
    ):
        if is_wanted:
            place = folder / suffix / offer.run_id[:2] / f"{offer.run_id}.{suffix}"
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)


def _shaped(folder: Path, target: Target) -> None:
    """Give the offers the form and name that are asked for."""
    lines, place = folder / "offers.jsonl", folder / target.name("offers")
    if target.form == "jsonl":
        lines.rename(place)
        return
    if lines.stat().st_size == 0:
        pl.DataFrame(schema=dict(SCHEMA)).write_parquet(place)
    else:
        pl.scan_ndjson(lines, schema=dict(SCHEMA)).sink_parquet(place, maintain_order=True)
    lines.unlink()


def _manifest(campaign: Campaign, target: Target, folder: Path, done: Exported) -> bytes:
    place = folder / target.name("manifest")
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    told = {
        "format": FORMAT,
        "campaign": campaign.name,
        "state": campaign.state,
        "predictions": {"file": campaign.input_name, "sha256": campaign.input_sha, "rows": campaign.input_rows},
        "moments": {
            name: None if moment is None else moment.isoformat()
            for name, moment in (
                ("sent_at", campaign.sent_at),
                ("planned_at", campaign.planned_at),
                ("finished_at", campaign.finished_at),
            )
        },
        "versions": campaign.versions,
        "counts": {
            "offers": done.offers,
            "mails": done.mails,
            "without_an_offer": done.without,
            "withheld": dict(sorted(done.withheld.items())),
            "not_exported": dict(sorted(done.failed.items())),
        },
        "cells": {target.name("suppressed"): READING},
        "files": [
            {"name": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": digest(path)}
            for path in files
        ],
    }
    place.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return place.read_bytes()
