"""`offers email lint`: a mail or a page that anyone made, put to the message checks of the gate."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from server.commands.console import busy, counted, err, fail, out, plain, stopped

if TYPE_CHECKING:
    from tools.email_lint import Linter, LintReport

app = typer.Typer(no_args_is_help=True, help="Check emails.")
STDIN: Final = "-"
ENDINGS: Final = (".eml", ".html", ".htm")
CLEAN, FOUND, UNREADABLE = 0, 1, 2
SHOWN_IDS: Final = 6


@app.callback()
def emails() -> None:
    """Check emails, our own or an agency's."""


@app.command("lint", no_args_is_help=True)
def lint(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE...", help="Mails (.eml), HTML alone (.html), folders of them, or - for stdin."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per file and nothing else.")] = False,
    listed: Annotated[bool, typer.Option("--list", help="Print every check as a Markdown table and stop.")] = False,
) -> None:
    """Put mails or their HTML to every message check of the gate: what is found is what `render` would refuse.

    Each finding has the check's id (policy/clause), its place and the remedy. Postal address, issuer and allowed hosts
    are the BRAND settings. What a file alone can't show is listed as not checked. Needs no database and no network.

    The exit code is 0 when nothing was found, 1 when something was, 2 when a file can't be read.

    Example:

        offers email lint output/mail.eml
        offers email lint agency/ --json > findings.jsonl
        curl -s https://offers.examplebank.example/preview.html | offers email lint -
    """
    from graph.brand import brand_of
    from graph.settings import load_settings

    settings = load_settings()
    with busy("reading the policies"):
        linter = _linter(settings)
    if listed:
        from tools.email_lint import listing

        out().out(listing(linter), highlight=False)
        return
    names = _spread(files or [])
    brand = brand_of(settings)
    reports: list[LintReport] = []
    told: set[str] = set()
    unreadable = 0
    with stopped("the files not named above were not checked"), _bar(len(names)) as advance:
        for name in names:
            report = _lint_one(linter, name, brand, told, as_json=as_json)
            unreadable += report is None
            reports += [report] if report is not None else []
            advance()
    if not as_json:
        _summary(reports, unreadable)
    broken = any(report.findings or report.verdict != "pass" for report in reports)
    raise typer.Exit(UNREADABLE if unreadable else FOUND if broken else CLEAN)


def _linter(settings: Any) -> "Linter":
    from graph.gate import load_gate
    from tools.email_lint import Linter

    return Linter(load_gate(settings))


def _spread(names: Sequence[str]) -> list[str]:
    """Return each file once in the order given; a folder's mails and pages by path."""
    files: dict[str, None] = {}
    for name in names:
        within = _in_folder(Path(name)) if name != STDIN and Path(name).is_dir() else [name]
        if not within:
            fail(f"{name}: holds no file that ends in {', '.join(ENDINGS)}")
            raise typer.Exit(UNREADABLE)
        files |= dict.fromkeys(within)
    return list(files)


def _in_folder(folder: Path) -> list[str]:
    return sorted(str(each) for each in folder.rglob("*") if each.suffix.lower() in ENDINGS and each.is_file())


def _lint_one(linter: "Linter", name: str, brand: Any, told: set[str], *, as_json: bool) -> "LintReport | None":
    """Check one file and print what was found; None when it can't be read, which is printed.

    `told` has the ids of checks whose remedy was printed before.
    """
    from tools.email_lint import Unreadable, read_file

    shown = "stdin" if name == STDIN else name
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
        report = linter.lint(read_file(shown, content, brand))
    except (OSError, Unreadable) as error:
        reason = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        if as_json:
            _print_json({"file": shown, "error": reason})
        fail(f"{shown}: {reason}")
        return None
    _print_json(_as_dict(report)) if as_json else _print(report, told)
    return report


def _as_dict(report: "LintReport") -> dict[str, object]:
    return {
        "file": report.name,
        "verdict": report.verdict,
        "findings": [
            {
                "id": each.id,
                "severity": each.severity,
                "result": each.result,
                "part": each.place.part,
                "header": each.place.header or None,
                "line": each.place.line or None,
                "column": each.place.column or None,
                "quote": each.quote,
                "message": each.message,
                "remedy": each.remedy,
            }
            for each in report.findings
        ],
        "not_checked": report.not_checked,
        "partly_checked": report.partly,
    }


def _print_json(value: dict[str, object]) -> None:
    import json

    out().out(json.dumps(value, ensure_ascii=False), highlight=False)


def _print(report: "LintReport", told: set[str]) -> None:
    from rich.text import Text

    count = len(report.findings)
    verdict = ("clean", "green") if not count else (f"{count} finding{'s' if count > 1 else ''}", "red")
    out().print(Text.assemble((plain(report.name), "bold"), "  ", verdict), soft_wrap=True)
    for each in report.findings:
        line = Text.assemble("  ", (each.severity, "dim"), f" {each.id}  ", (str(each.place), "cyan"))
        line.append(f"  {plain(each.quote)!r}" if each.quote else "")
        out().print(line, soft_wrap=True)
        if each.id not in told:
            out().print(Text.assemble(f"      {plain(each.message)} ", (plain(each.remedy), "dim")), soft_wrap=True)
            told.add(each.id)


def _summary(reports: "Sequence[LintReport]", unreadable: int) -> None:
    """Print what was not checked, once for all files, and the totals."""
    from rich.text import Text

    for reason in dict.fromkeys(reason for report in reports for reason in report.not_checked):
        those = [report for report in reports if reason in report.not_checked]
        ids = those[0].not_checked[reason]
        named = ", ".join(ids[:SHOWN_IDS]) + (f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else "")
        share = f" ({len(those):,} of {len(reports):,} files)" if len(those) < len(reports) else ""
        out().print(Text(f"not checked: {reason}{share}: {named}", style="yellow"), soft_wrap=True)
    partly = {key: unseen for report in reports for key, unseen in report.partly.items()}
    for key, unseen in partly.items():
        out().print(Text(f"not told by a file alone: {unseen} ({key})", style="dim"), soft_wrap=True)
    found = sum(len(report.findings) for report in reports)
    broken = sum(bool(report.findings) for report in reports)
    told = f"{counted(found, 'finding')} in {broken:,}" if found else "no finding"
    checked = f"{len(reports):,} checked: {told}" if reports else "none checked"
    tail = f"; {unreadable:,} unreadable" if unreadable else ""
    out().print(f"{checked}{tail}", soft_wrap=True)


@contextmanager
def _bar(total: int) -> Iterator[Any]:
    """Show how many files were checked; nothing for one file, or where nobody watches."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("checking"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = out() if out().is_terminal else err()
    with Progress(*columns, console=console, transient=True, disable=total < 2 or not console.is_terminal) as progress:
        task = progress.add_task("checking", total=total)
        yield lambda: progress.advance(task)
