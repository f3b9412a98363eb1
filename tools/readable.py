"""Text of strangers made safe to read: nothing that steers a terminal or hides from a reader."""

from typing import Final

BOX: Final = "□"


def shown(text: str) -> str:
    """Return the text with a box for each control, direction override or other invisible character; breaks are kept."""
    return "".join(char if char.isprintable() or char == "\n" else BOX for char in text.replace("\r\n", "\n"))
