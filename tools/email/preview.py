"""The preview that an inbox shows beside the subject: the preheader, then blanks, so that no body text follows it."""

from typing import Final

NO_BREAK: Final = "\u00a0"
"""A blank at which no line breaks; the text part has a plain one in its place."""

PREVIEW_LENGTH: Final = 200
"""Characters that the longest preview shows (Gmail on a wide screen)."""

_PAIR: Final = f"{NO_BREAK}\u2007 "
"""Blanks that HTML doesn't run together, and one at which the source may break.

Zero-width characters would hold in more clients, but a mail has no invisible characters in it (SEC-03), and a hidden
blank says nothing to any reader."""


def padding_after(preheader: str) -> str:
    """Return the blanks that fill the preview after this preheader."""
    return _PAIR * -(-max(PREVIEW_LENGTH - len(preheader), 0) // len(_PAIR))
