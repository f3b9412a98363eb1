"""`offers prompts`: what prompt engineers do with the prompts folder."""

import typer

app = typer.Typer(no_args_is_help=True, help="Lint prompt files before a change is live.")
