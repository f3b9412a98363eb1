"""`offers prompts`: what prompt engineers do with the prompts folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.console import busy, counted, out, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.prompt_checks import Fault

app = typer.Typer(no_args_is_help=True, help="See, check, compare and price prompts before a change is live.")


@app.callback()
def prompts() -> None:
    """See, check, compare and price prompts before a change is live."""


@app.command()
def lint(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE", help="Files of PROMPTS_DIR to tell of; default: all.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the faults as one JSON list.")] = False,
) -> None:
    """Print everything wrong with the prompts, as file:line:column code message; remedy.

    Checks front matter, sections, variables, fields, includes and slots, renders each prompt for every menu against its
    token budget, and puts its examples to the gate. No model is asked. Exits with 1 when there is an error; a warning
    costs money or quality, and stops nothing.

    Example:

        offers prompts lint
        offers prompts lint prompts/draft@b.md --json
    """
    with busy("checking the prompts"):
        from graph.prompt_lint import lint as lint_folder
        from graph.rulebook import load_rulebook
        from graph.settings import load_settings

        settings = load_settings()
        faults = _of(
            lint_folder(settings.prompts_dir, load_rulebook(settings, prompted=False), settings=settings), files
        )
    if as_json:
        out().file.write(_json(faults))
    else:
        for fault in faults:
            out().out(plain(f"{fault}{' (warning)' if fault.severity == 'warning' else ''}"), highlight=False)
    errors = sum(fault.severity == "error" for fault in faults)
    if errors:
        raise typer.Exit(1)
    if not as_json:
        rest = f", {counted(len(faults), 'warning')}" if faults else ""
        out().print(f"{settings.prompts_dir}: nothing to correct{rest}", soft_wrap=True)


def _of(faults: "Sequence[Fault]", files: list[Path] | None) -> "list[Fault]":
    """Return the faults of these files, or all. Raises InputInvalid for a file that isn't there."""
    from tools.errors import InputInvalid

    if not files:
        return [*faults]
    if missing := [path for path in files if not path.is_file()]:
        raise InputInvalid(f"FILE is {str(missing[0])!r}: there is no such file; name one of PROMPTS_DIR")
    wanted = {path.resolve() for path in files}
    return [fault for fault in faults if fault.path.resolve() in wanted]


def _json(faults: "Sequence[Fault]") -> str:
    import json

    names = ("line", "column", "code", "severity", "message", "remedy")
    told = [{"path": str(fault.path)} | {name: getattr(fault, name) for name in names} for fault in faults]
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
