"""Show what the gate catches: `python -m tests.gate suite [POLICY_ID]`, `... corpora [FILE ...]`, `... neighbours`."""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text as Words

from tests.gate.corpora import CORPORA, Checked, CorpusFault, FamilyRow, check_corpus, family_rows, read_corpus
from tests.gate.neighbours import Neighbourhood, Neighbours, copy_clauses
from tests.gate.offers import POLICIES, compliant_offers, delivered, open_book
from tests.gate.plants import PLANTS, PlantFault, read_plants
from tests.gate.suite import Clean, Row, run_clean, run_suite
from tools.errors import OfferGraphError

OUT = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
ERR = Console(stderr=True, highlight=False)
WHOLE, QUICK = 7, 2
"""Offers per option: with the most, every approved block speaks at least once."""


def main() -> int:
    """Run what the command line asks for; 1 when a plant got through, a compliant offer was held or a file is wrong."""
    arguments = _arguments()
    try:
        return int(arguments.run(arguments))
    except (OfferGraphError, PlantFault, CorpusFault, OSError) as error:
        ERR.print(Words(f"error: {error}", style="red"), soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


def suite(arguments: argparse.Namespace) -> int:
    """Print a row per clause, then what got through, then the totals."""
    book = open_book(arguments.policies)
    plants = read_plants(book.gate.policies, arguments.plants, only=arguments.policy)
    if arguments.policy and book.gate.policies.get(arguments.policy) is None:
        raise PlantFault(arguments.policies, 1, f"no policy is called {arguments.policy!r}")
    emails = compliant_offers(book, turns=QUICK)
    bases = [*emails, *delivered(emails)]
    total = sum(len(policy.clauses) for policy in book.gate.policies.active)
    with _bar("planting", total) as advance:
        rows = []
        for row in run_suite(book, bases, plants, only=arguments.policy):
            rows.append(row)
            advance()
    clean = None
    if arguments.policy is None or arguments.clean:
        offers = compliant_offers(book, turns=QUICK if arguments.quick else WHOLE, spread_days=300)
        offers += delivered(
            offers[:: QUICK if arguments.quick else WHOLE]
        )  # one turn: they have no blocks to choose from
        with _bar("compliant offers", len(offers)) as advance:
            clean = run_clean(book.gate, offers, advance=advance)
    OUT.print(_suite_table(rows))
    return _said(rows, clean)


def corpora(arguments: argparse.Namespace) -> int:
    """Print a row per family and, on request, the ids or texts that were judged otherwise than labelled."""
    book = open_book(arguments.policies)
    texts = [text for path in arguments.files or sorted(CORPORA.glob("*.jsonl")) for text in read_corpus(path)]
    with _bar("checking", len(texts)) as advance:
        checked = check_corpus(book.gate, texts, advance=advance)
    OUT.print(_corpora_table(family_rows(checked)))
    if arguments.misses or arguments.texts:
        for item in checked:
            if item.violates != item.text.violating and not item.text.judge_only:
                _print_miss(item, texts=arguments.texts)
    return 0


def neighbours(arguments: argparse.Namespace) -> int:
    """Print a row per clause, then the violations that an honest sentence beside them hid."""
    book = open_book(arguments.policies)
    plants = read_plants(book.gate.policies, arguments.plants, only=arguments.policy)
    hood = Neighbourhood(book, compliant_offers(book, turns=1), plants)
    clauses = list(copy_clauses(book.gate.policies, arguments.policy))
    with _bar("neighbours", len(clauses)) as advance:
        rows = []
        for policy, active in clauses:
            rows.append(hood.row(policy, active))
            advance()
    OUT.print(_neighbours_table(rows))
    missed = [miss for row in rows for miss in row.misses]
    for miss in missed:
        OUT.print(Words(miss.line(), style="red"), soft_wrap=True)
    put = sum(row.put for row in rows)
    OUT.print(Words(f"{len(rows)} clauses, {put} neighbourhoods, {len(missed)} hidden", style="bold"), soft_wrap=True)
    return int(bool(missed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.gate", description=__doc__)
    parser.add_argument("--policies", type=Path, default=POLICIES, help="another folder than the issuer's")
    parser.add_argument("--plants", type=Path, default=PLANTS, help="another folder of plants than tests/gate/plants")
    parts = parser.add_subparsers(metavar="suite|corpora|neighbours")
    parser.set_defaults(run=suite, policy=None, clean=False, quick=False)
    one = parts.add_parser("suite", help="plant violations in compliant offers; print what each clause caught")
    one.add_argument("policy", nargs="?", metavar="POLICY_ID", help="one policy's clauses only")
    one.add_argument("--clean", action="store_true", help="check the compliant offers too when one policy is named")
    one.add_argument("--quick", action="store_true", help=f"{QUICK} compliant offers per option instead of {WHOLE}")
    one.set_defaults(run=suite)
    two = parts.add_parser("corpora", help="check copy by strangers; print recall and false blocks per family")
    two.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: all of tests/gate/corpora")
    two.add_argument("--misses", action="store_true", help="list the ids judged otherwise than labelled")
    two.add_argument("--texts", action="store_true", help="list them with their texts")
    two.set_defaults(run=corpora)
    three = parts.add_parser("neighbours", help="put honest sentences beside violations; print which they hide (4 min)")
    three.add_argument("policy", nargs="?", metavar="POLICY_ID", help="one policy's clauses only")
    three.set_defaults(run=neighbours)
    return parser.parse_args()


def _suite_table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, right in (("policy", 0), ("clause", 0), ("kind", 0), ("planted", 1), ("caught", 1), ("domains", 1)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    table.add_column("note", style="dim")
    for row in rows:
        style = "" if row.holds else "red"
        counts = map(str, (row.planted, row.caught, row.bases))
        table.add_row(row.policy_id, row.clause_id, row.kind, *counts, row.note, style=style)
    return table


def _neighbours_table(rows: Sequence[Neighbours]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name, right in (("policy", 0), ("clause", 0), ("violations", 1), ("neighbourhoods", 1), ("hidden", 1)):
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    for row in rows:
        counts = map(str, (row.violations, row.put, len(row.misses)))
        table.add_row(row.policy_id, row.clause_id, *counts, style="red" if row.misses else "")
    return table


def _said(rows: Sequence[Row], clean: Clean | None) -> int:
    missed = [miss for row in rows for miss in row.misses]
    wrong = [] if clean is None else clean.lines()
    for line in (*missed, *wrong):
        OUT.print(Words(line, style="red"), soft_wrap=True)
    planted, caught = sum(row.planted for row in rows), sum(row.caught for row in rows)
    failing = sum(not row.holds for row in rows)
    said = f"{len(rows)} clauses, {planted} plants, {caught} caught, {failing} clauses lacking"
    if clean is not None:
        blocked, held = clean.counts
        said += f"; {clean.offers} compliant offers, {blocked} false blocks, {held} held"
    OUT.print(Words(said, style="bold"), soft_wrap=True)
    return int(bool(missed or wrong))


def _corpora_table(rows: Sequence[FamilyRow]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("family", no_wrap=True)
    for name in (
        "violating",
        "caught",
        "by a named rule",
        "recall",
        "conforming",
        "false blocks",
        "rate",
        "judge only",
    ):
        table.add_column(name, justify="right")
    table.add_column("unreadable", justify="right")
    for row in rows:
        table.add_row(
            row.family,
            *map(str, (row.violating, row.caught, row.named)),
            _share(row.recall),
            *map(str, (row.conforming, row.blocked)),
            _share(row.false_rate),
            *map(str, (row.judge_only, row.unreadable)),
            style="bold" if row is rows[-1] else "",
        )
    return table


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


def _print_miss(item: Checked, *, texts: bool) -> None:
    text, reply = item.text, item.reply
    kind = "not caught" if text.violating else "false block"
    by = ", ".join(f"{one.policy_id}/{one.clause_id}" for one in reply.violations)
    said = f"{text.corpus} {text.id}  {text.family}  {kind}  {by or reply.error or ''}".rstrip()
    OUT.print(Words(said), soft_wrap=True)
    if texts:
        OUT.print(Words(f"    rules {', '.join(sorted(text.rules)) or '-'}", style="dim"), soft_wrap=True)
        for name, written in text.request.get("text", {}).items():
            if written:
                OUT.print(Words(f"    {name}: {written}"), soft_wrap=True)
        for one in reply.violations:
            OUT.print(Words(f"    {one.clause_id}: {one.field} {one.quote!r}", style="cyan"), soft_wrap=True)


@contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[], None]]:
    columns = (TextColumn(label), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=ERR, transient=True, disable=not ERR.is_terminal) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.advance(task)


if __name__ == "__main__":
    sys.exit(main())
