"""`offers campaign`: a scoring job's predictions, decided together, each exactly once."""

from importlib import import_module
from importlib.util import find_spec
from typing import Final

import typer

VERBS: Final = ("create", "rejects", "plan", "run", "status", "steer", "verify", "export", "report")
"""Modules `campaign_<verb>` beside this one, in the order that `--help` lists their commands."""

app = typer.Typer(
    no_args_is_help=True,
    help="Decide a file of predictions together: create, plan, run, watch, verify, export.",
    epilog="From file to export, step by step: docs/campaigns.md.",
)

for _verb in VERBS:
    _name = f"server.commands.campaign_{_verb}"
    if find_spec(_name) is not None:
        app.registered_commands += import_module(_name).app.registered_commands
