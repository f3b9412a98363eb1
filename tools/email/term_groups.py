"""Terms and conditions as the mail sets them: one paragraph per group, its label set apart from its sentences."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_LABELLED: Final = re.compile(r"(?P<label>[A-Z][A-Za-z ]{1,39}): (?P<text>\S.*)")
"""How `tools.disclosures` starts a group: a few words and a colon."""


@dataclass(frozen=True, slots=True)
class TermGroup:
    """One paragraph of the terms. `label` is empty when it starts with none."""

    label: str
    text: str


def groups_of(paragraphs: Iterable[str]) -> tuple[TermGroup, ...]:
    """Split each paragraph into its label and its sentences, losing no character but the ": " between the two."""
    return tuple(
        TermGroup(found["label"], found["text"])
        if (found := _LABELLED.fullmatch(paragraph))
        else TermGroup("", paragraph)
        for paragraph in paragraphs
    )
