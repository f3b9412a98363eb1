"""`offers`: the command line. Each command lives in `server/commands/`; nothing heavy is imported before one runs."""

import sys
from typing import Any, Final

import typer
from typer.core import TyperGroup

from server.commands import (
    budget,
    campaign,
    check,
    config,
    copy,
    db,
    demo,
    email,
    evaluate,
    generate,
    parts,
    policies,
    policy_acts,
    policy_versions,
    prompt_cost,
    prompt_diff,
    prompt_show,
    prompt_variables,
    prompts,
    serve,
    studio,
    suppression,
    trace,
    usage,
)
from server.commands.console import fail, out
from server.release import release
from tools.errors import OfferGraphError

HINTS: Final = {
    "setting_invalid": "`offers config` shows every setting and what it means",
    "database_unavailable": "`offers status` shows the embedded server; with DATABASE_URL set, check that one",
    "model_unavailable": "`offers status` shows the embedded model; with LLM_BASE_URL set, check that endpoint",
    "index_unavailable": "delete the folder `chroma` in DATA_DIR, it is rebuilt from the policies; or check CHROMA_URL",
    "policies_unavailable": "`offers policies history ID` shows its versions; approve a mended one, or retire it",
    "policy_invalid": "`offers policies lint` shows every fault in POLICIES_DIR; until then nothing is decided",
    "prompt_invalid": "correct that file (PROMPTS_DIR names its folder)",
    "part_missing": "`make install` installs what the embedded parts need",
}
"""What to do next, by error code; other errors say it themselves."""

PANELS: Final = ("Start here", "Offers", "Compliance", "Prompts", "Data", "Settings and parts")


class ByPanel(TyperGroup):
    """Lists commands panel by panel; without it, every group would come after every single command."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the commands' names in the order of the panels."""
        return sorted(super().list_commands(ctx), key=self._place)

    def _place(self, name: str) -> int:
        panel = getattr(self.commands[name], "rich_help_panel", None)
        return PANELS.index(panel) if panel in PANELS else len(PANELS)


app = typer.Typer(
    cls=ByPanel,
    help="From a prediction per cardmember to one personalised offer that provably obeys the issuer's policies.",
    epilog="Start with `offers demo`. Every command has an example: `offers generate --help`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (demo, serve, generate, usage, trace, studio, check, config, parts):
    app.registered_commands += module.app.registered_commands
for module in (policy_acts, policy_versions):
    policies.app.registered_commands += module.app.registered_commands
for module in (prompt_show, prompt_diff, prompt_variables, prompt_cost):
    prompts.app.registered_commands += module.app.registered_commands
app.add_typer(evaluate.app, name="eval", rich_help_panel="Prompts")
app.add_typer(budget.app, name="budget", rich_help_panel="Offers")
app.add_typer(campaign.app, name="campaign", rich_help_panel="Offers")
app.add_typer(policies.app, name="policies", rich_help_panel="Compliance")
app.add_typer(copy.app, name="copy", rich_help_panel="Compliance")
app.add_typer(email.app, name="email", rich_help_panel="Compliance")
app.add_typer(prompts.app, name="prompts", rich_help_panel="Prompts")
app.add_typer(db.app, name="db", rich_help_panel="Data")
app.add_typer(suppression.app, name="suppression", rich_help_panel="Data")


@app.command("version", rich_help_panel="Settings and parts")
def show_version() -> None:
    """Print the version of OfferGraph and of the Python it runs on.

    Example:

        offers version
    """
    out().print(f"offergraph {release()}, Python {sys.version.split()[0]}")


def main() -> None:
    """Run the command line: exit code 0, 1 for a fault (told in one line), 2 for wrong usage, 130 after Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a name must not break a narrow terminal
    try:
        app(prog_name="offers")
    except OfferGraphError as error:
        fail(str(error), hint=HINTS.get(error.code))
    except OSError as error:
        fail(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
    sys.exit(1)


if __name__ == "__main__":
    main()
