"""Shares of a campaign's members that get a prompt's variant, as they are asked for: `draft=b:20`."""

from collections.abc import Iterable
from pathlib import Path

from tools.errors import InputInvalid
from tools.variants import Split, named


def read_shares(asked: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return shares in percent by prompt and variant. Raises InputInvalid for what is no PROMPT=VARIANT:PERCENT."""
    split: dict[str, dict[str, float]] = {}
    for text in asked:
        prompt, equals, rest = text.partition("=")
        variant, colon, percent = rest.rpartition(":")
        share = _share(percent)
        if not (equals and colon and prompt and variant) or share is None:
            raise InputInvalid(f"variants is {text!r}; write PROMPT=VARIANT:PERCENT, for example draft=b:20")
        if variant in split.setdefault(prompt, {}):
            raise InputInvalid(f"variants names {named(prompt, variant)} twice; give it one share")
        split[prompt][variant] = share
    return split


def check_variants(split: Split, folder: Path) -> None:
    """Raise InputInvalid when a variant has no file among the prompts, PromptInvalid when those can't be read."""
    if not split:
        return
    from graph.rulebook import read_prompts

    known = read_prompts(folder).digests
    for prompt, shares in split.items():
        for variant in shares:
            if (name := named(prompt, variant)) not in known:
                raise InputInvalid(
                    f"variants gives {name} a share, but there is no such prompt; known: {', '.join(known)}"
                )


def _share(percent: str) -> float | None:
    try:
        return float(percent.strip().removesuffix("%"))
    except ValueError:
        return None
