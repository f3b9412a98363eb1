"""`offers config`: every setting with its value, default and meaning."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from server.commands.console import out, plain

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from graph.settings import Settings

app = typer.Typer()
SECRET: Final = "***"
COMPUTED: Final = {
    "data_dir": "the user's data folder",
    "attestations": "none",
    "api_principals": "none",
    "prompt_split": "none",
}
"""Defaults that are made when the settings are read, in words."""


@app.command(rich_help_panel="Settings and parts")
def config(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table of the README.")] = False,
) -> None:
    """Show every setting: its value, its default and what it means. Secrets are shown as ***.

    Settings are environment variables, or lines of a `.env` file in the current folder.

    Example:

        offers config
        MAX_OFFERS_PER_MONTH=2 offers config
    """
    from graph.settings import Settings, load_settings

    if markdown:
        out().file.write(markdown_table())
        return
    from rich.padding import Padding
    from rich.text import Text

    settings = load_settings()
    for name, field in Settings.model_fields.items():
        value, default = shown_value(settings, name), shown_default(name, field)
        changed = name in settings.model_fields_set
        line = Text.assemble((name.upper(), "bold cyan"), " = ", (plain(value), "bold green" if changed else ""))
        line.append(f"   (default: {default})" if changed and value != default else "", style="dim")
        out().print(line, soft_wrap=True)
        out().print(Padding(Text(field.description or ""), (0, 0, 0, 4)))


def markdown_table() -> str:
    """Return the README's table of settings; the same on every machine."""
    from graph.settings import Settings

    rows = ["| Setting | Default | Meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = shown_default(name, field)
        cell = default if name in COMPUTED or default == "unset" else f"`{default}`"
        rows.append(f"| `{name.upper()}` | {cell} | {(field.description or '').replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"


def shown_value(settings: "Settings", name: str) -> str:
    """Return a setting's value as text; a secret's only says that there is one."""
    from pydantic import SecretStr

    value = getattr(settings, name)
    return SECRET if isinstance(value, SecretStr) else _shown(value)


def shown_default(name: str, field: "FieldInfo") -> str:
    """Return a setting's default as text, without any path of this machine."""
    return COMPUTED[name] if name in COMPUTED else _shown(field.default)


def _shown(value: Any) -> str:
    from graph.settings import ROOT, Principal

    if value is None:
        return "unset"
    if isinstance(value, Path):
        return str(value.relative_to(ROOT)) if value.is_relative_to(ROOT) else str(value)
    if isinstance(value, tuple) and value and isinstance(value[0], Principal):
        return "; ".join(f"{item.name} ({', '.join(item.roles) or 'no role'})" for item in value)
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, dict) and all(isinstance(item, dict) for item in value.values()):
        return json.dumps(value) if value else "none"
    if isinstance(value, dict):
        return "; ".join(f"{key}: {item.by} until {item.until}" for key, item in value.items()) or "none"
    return str(value)
