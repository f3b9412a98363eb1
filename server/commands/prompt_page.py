"""A prompt on the terminal or as JSON: its facts, its weight, its parts."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from server.commands.console import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

    from graph.prompt_shares import Shares
    from graph.prompt_view import PromptView
    from tools.views import MemberView


@dataclass(frozen=True, slots=True)
class Found:
    """A prompt, whose it is, the key its completion is kept under, and how much of it others' prompts begin with."""

    shown: "PromptView"
    seen: "MemberView"
    key: str
    shares: "Shares | None"


def weights(shown: "PromptView") -> dict[str, int]:
    """Return about how many tokens each part of a prompt has."""
    from tools.prompt_budget import tokens

    return {part.name: tokens(part.text) for part in shown.parts}


def page_of(found: Found) -> "RenderableType":
    """Return the prompt for people: what is known of it, then each part."""
    from rich.console import Group
    from rich.rule import Rule
    from rich.text import Text

    told: list[RenderableType] = [_facts(found)]
    for part in found.shown.parts:
        told += [Rule(f"{part.role}: {part.name}", align="left", style="dim"), Text(plain(part.text))]
    return Group(*told, Rule(style="dim"))


def _facts(found: Found) -> "RenderableType":
    from rich.table import Table
    from rich.text import Text

    shown, shares = found.shown, found.shares
    prompt, ask, counts = shown.prompt, shown.ask, weights(shown)
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold cyan", no_wrap=True)
    grid.add_column(overflow="fold")
    rows = {
        "prompt": f"{prompt.name} {prompt.header.version}, digest {prompt.digest}",
        "for": ", ".join(map(str, found.seen.model_dump().values())),
        "tokens": f"about {sum(counts.values())}: {', '.join(f'{name} {count}' for name, count in counts.items())}",
    }
    if shares is not None:
        told = f"{shares.everyone} with every menu, {shares.menu} more with this one; {shares.member} of their own"
        rows["shared"] = told
    rows |= {
        "parameters": f"temperature {ask.temperature:g}, max_tokens {ask.max_tokens}",
        "schema": f"{ask.name}, {_schema_size(shown):,} bytes of JSON beside the messages",
        "completion": found.key,
    }
    for label, value in rows.items():
        grid.add_row(label, Text(plain(value)))
    for note in shown.notes:
        grid.add_row("note", Text(plain(note), style="yellow"))
    return grid


def _schema_size(shown: "PromptView") -> int:
    import json

    return len(json.dumps(shown.ask.schema, ensure_ascii=False).encode())


def as_json_text(found: Found) -> str:
    """Return all of it as JSON."""
    import json
    from dataclasses import asdict

    prompt, ask = found.shown.prompt, found.shown.ask
    told = {
        "prompt": prompt.name,
        "version": prompt.header.version,
        "digest": prompt.digest,
        "view": found.seen.model_dump(),
        "temperature": ask.temperature,
        "max_tokens": ask.max_tokens,
        "schema_name": ask.name,
        "schema": ask.schema,
        "messages": [{"role": role, "content": text} for role, text in ask.messages],
        "tokens": weights(found.shown),
        "shared_tokens": None if found.shares is None else asdict(found.shares),
        "completion_key": found.key,
        "notes": list(found.shown.notes),
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
