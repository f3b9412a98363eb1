"""What `offers policies impact` does: judges offers while they stream out of the ledger, and writes in one go."""

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from pydantic import ValidationError

from graph.brand import brand_of
from graph.database import open_database
from graph.deps import token_secret
from graph.gate import gate_with, load_gate, with_texts
from graph.impact import Finding, Impact
from graph.impact_clauses import Recorded, read_front
from graph.nodes.render import sent_at
from graph.settings import Settings
from graph.state import Run
from tools.copy_blocks import CopyBlocks, load_copy_blocks
from tools.delivery.texts import load_delivery_texts
from tools.email.message import Mailer
from tools.email.received import load_received
from tools.exports import export_folder
from tools.ledger.holds import LiveOffer, count_live, hold, known_texts, live_offers, release
from tools.ledger.versions import read_standing
from tools.policies import Gate
from tools.policies.stored import Standing, compile_standing
from tools.spreadsheet import Sheet

COLUMNS: Final = (
    "run_id", "user_id", "campaign", "domain", "option", "issued_at", "sent_at",
    "policy_id", "clause_id", "field", "quote",
)  # fmt: skip
_EXAMPLES: Final = 10
_NAMED: Final = 3
"""Clauses a hold's reason names."""

Judged = tuple[LiveOffer, tuple[Finding, ...]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be done beside telling."""

    hold: bool = False
    hold_unknown: bool = True
    release: bool = False
    recall: Path | None = None


@dataclass(slots=True)
class Tally:
    """Counts of offers, and per clause of the offers it would stop."""

    KINDS: ClassVar = ("not sent", "sent", "unknown, not sent", "unknown, sent")
    offers: int = 0
    unsent: int = 0
    sent: int = 0
    unknown: int = 0
    held_before: int = 0
    passing_held: int = 0
    held: int = 0
    released: int = 0
    recalled: int = 0
    clauses: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, offer: LiveOffer, findings: Sequence[Finding]) -> None:
        """Count one offer."""
        self.offers += 1
        self.held_before += offer.held_at is not None
        self.passing_held += offer.held_at is not None and not findings
        if not findings:
            return
        where = "not sent" if offer.sent_at is None else "sent"
        self.unsent += offer.sent_at is None
        self.sent += offer.sent_at is not None
        self.unknown += all(one.unknown for one in findings)
        for one in findings:
            kind = f"unknown, {where}" if one.unknown else where
            self.clauses.setdefault(one.clause, Counter())[kind] += 1


@dataclass(frozen=True, slots=True)
class Told:
    """What was found and done. `files` are exported files that were removed, `examples` a few offers in words."""

    set_sha: str
    tally: Tally
    files: int
    examples: tuple[str, ...]


async def reevaluate(
    settings: Settings, folder: Path, wanted: Wanted, *, tell: Callable[[int, int], None] = lambda done, total: None
) -> Told:
    """Judge the issued offers by the policies of a folder; hold, release and list as wanted, all or nothing.

    The versions the ledger holds in force count beside the folder's files, as they do for every offer. Raises
    PolicyInvalid for what can't be enforced, DatabaseUnavailable, and OSError for the list.
    """
    edited = settings.model_copy(update={"policies_dir": folder})
    of_files = await asyncio.to_thread(load_gate, edited)
    filed_blocks = await asyncio.to_thread(load_copy_blocks, folder / "copy")
    deliveries = await asyncio.to_thread(load_delivery_texts, folder / "delivery")
    received = await asyncio.to_thread(load_received, settings.policies_dir / "received.yaml")  # what was sent held it
    secret = await asyncio.to_thread(token_secret, settings)
    mailer = Mailer(brand_of(settings), token_secret=secret, received=received)
    database = open_database(settings)
    tally, examples, held = Tally(), list[str](), list[tuple[str, datetime]]()
    stay: list[tuple[str, datetime]] = []
    try:
        with _recall_list(wanted.recall) as recall:
            async with database.connection() as connection:
                standing = await read_standing(connection)
                gate, blocks = await asyncio.to_thread(_in_force, of_files, filed_blocks, standing)
                texts = [(name, version, read_front(text)) for name, version, text in await known_texts(connection)]
                gate = with_texts(gate, deliveries)
                impact = Impact(gate, blocks=blocks, texts=deliveries, mailer=mailer, recorded=Recorded(texts))
                today = datetime.now(ZoneInfo(settings.brand_time_zone)).date()
                total = await count_live(connection, today)
                async for batch in live_offers(connection, today):
                    judged = await asyncio.to_thread(_judge, impact, batch)
                    judged = await _held(connection, judged, wanted, gate, held)
                    tally.released += await _released(connection, judged, wanted)
                    stay += _still_held(judged, wanted)
                    for offer, findings in judged:
                        tally.add(offer, findings)
                        tally.recalled += recall(offer, findings)
                        if findings and len(examples) < _EXAMPLES:
                            examples.append(f"{offer.run_id} ({offer.option_id}): {_reason(findings)}")
                    tell(tally.offers, total)
            tally.held = len(held)
    finally:
        await database.aclose()
    files = await asyncio.to_thread(_remove_files, settings.output_dir, [*held, *stay])
    return Told(gate.policies.sha, tally, files, tuple(examples))


def _in_force(files: Gate, blocks: CopyBlocks, standing: Standing) -> tuple[Gate, CopyBlocks]:
    stored, approvals = compile_standing(standing, files=files.policies, detectors=files.detectors)
    blocks = blocks.with_approvals(approvals)
    return gate_with(files, stored, blocks), blocks


def _judge(impact: Impact, batch: Sequence[LiveOffer]) -> list[Judged]:
    return [(offer, impact.findings(offer)) for offer in batch]


async def _held(
    connection: AsyncConnection, judged: Sequence[Judged], wanted: Wanted, gate: Gate, held: list[tuple[str, datetime]]
) -> list[Judged]:
    """Hold what is to be held; an offer that was sent since it was read comes back as a sent one."""
    chosen = {
        offer.run_id: f"{_reason(findings)} (policy set {gate.policies.sha[:12]})"
        for offer, findings in judged
        if wanted.hold and offer.sent_at is None and offer.held_at is None and _is_refused(findings, wanted)
    }
    sent = await hold(connection, chosen)
    after = []
    for offer, findings in judged:
        if offer.run_id in sent and sent[offer.run_id] is None:
            held.append((offer.run_id, _started(offer)))
        after.append((replace(offer, sent_at=sent.get(offer.run_id) or offer.sent_at), findings))
    return after


def _still_held(judged: Sequence[Judged], wanted: Wanted) -> list[tuple[str, datetime]]:
    """Return the offers an earlier run held: it may have been cut off before it removed their files."""
    chosen = (offer for offer, findings in judged if wanted.hold and offer.held_at is not None and findings)
    return [(offer.run_id, _started(offer)) for offer in chosen]


def _started(offer: LiveOffer) -> datetime:
    """Return the time that names the offer's exported files; that of its issue where the record can't be read."""
    try:
        return sent_at(Run.model_validate(offer.record["run"]))
    except ValidationError:
        return offer.issued_at


async def _released(connection: AsyncConnection, judged: Sequence[Judged], wanted: Wanted) -> int:
    passing = [offer.run_id for offer, findings in judged if offer.held_at is not None and not findings]
    return await release(connection, passing) if wanted.release and passing else 0


def _is_refused(findings: Sequence[Finding], wanted: Wanted) -> bool:
    return any(wanted.hold_unknown or not one.unknown for one in findings)


def _reason(findings: Sequence[Finding]) -> str:
    """Name the first clauses in words; what is seen to be broken comes before what can't be shown to hold."""
    ordered = sorted(findings, key=lambda one: one.unknown)
    named = [
        f"{one.clause} {'is unknown' if one.unknown else 'is broken'}: {one.why}"
        + (f" ({one.field} {one.quote!r})" if one.quote else "")
        for one in ordered[:_NAMED]
    ]
    more = len(ordered) - len(named)
    return "; ".join(named) + (f"; and {more} more" if more else "")


@contextmanager
def _recall_list(path: Path | None) -> Iterator[Callable[[LiveOffer, Sequence[Finding]], int]]:
    """Write the list beside its place and put it there once all is done; an interrupted one leaves nothing."""
    if path is None:
        yield lambda offer, findings: 0
        return
    scratch = path.with_name(f".{path.name}.part")
    try:
        with scratch.open("w", encoding="utf-8", newline="") as file:
            sheet = Sheet(file, COLUMNS)

            def write(offer: LiveOffer, findings: Sequence[Finding]) -> int:
                if offer.sent_at is None:
                    return 0
                sheet.writerows([_row(offer, one) for one in findings])
                return len(findings)

            yield write
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)


def _row(offer: LiveOffer, one: Finding) -> list[str]:
    sent = "" if offer.sent_at is None else offer.sent_at.isoformat()
    return [
        offer.run_id, offer.user_id, offer.campaign, offer.domain, offer.option_id, offer.issued_at.isoformat(), sent,
        one.policy_id, one.clause_id, one.field, one.quote,
    ]  # fmt: skip


def _remove_files(output_dir: Path, held: Sequence[tuple[str, datetime]]) -> int:
    """Remove the exported files of held offers, so that no sender finds them; a released offer is exported again."""
    count = 0
    for run_id, moment in held:
        for path in export_folder(output_dir, run_id=run_id, sent_at=moment).glob(f"{run_id}.*"):
            path.unlink(missing_ok=True)
            count += 1
    return count
