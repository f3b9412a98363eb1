"""Templates with slots in braces: found and filled by search and join, never by evaluating text."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

TOKEN: Final = re.compile(r"\{([^{}]*)\}|[{}]")
"""A slot, with what stands in its braces as group 1, or a stray brace, without group 1."""

_ARTICLE: Final = re.compile(r"\b([Aa])\s$")
_VOWEL_SOUND: Final = re.compile(r"\$?(?:8|(?:11|18)(?!\d)|(?:11|18),)|[aeioAEIO]")


def fill_text(template: str, values: Mapping[str, str | None]) -> str:
    """Put `values` into the slots of one trusted template, with "a" or "an" and full stops made right.

    Raises KeyError for a slot that has no value; check the template first.
    """
    parts: list[str] = []
    position = 0
    for token in TOKEN.finditer(template):
        value = values[token[1]]
        if value is None:
            raise KeyError(token[1])
        before = template[position : token.start()]
        if _VOWEL_SOUND.match(value):
            before = _ARTICLE.sub(r"\1n ", before)
        position = token.end()
        if value.endswith(".") and template[position : position + 1] == ".":
            position += 1
        parts += [before, value]
    return "".join([*parts, template[position:]])


@lru_cache(maxsize=2048)  # approved blocks are asked for theirs once per option of every menu
def slots_in(template: str) -> frozenset[str]:
    """Return what stands in braces in `template`, known or not."""
    return frozenset(token[1] for token in TOKEN.finditer(template) if token[1] is not None)


def literal_text(template: str) -> str:
    """Return the template without its slots; stray braces stay."""
    return TOKEN.sub(lambda token: token[0] if token[1] is None else " ", template)
