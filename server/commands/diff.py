"""What changed between two texts, word by word."""

import difflib
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def word_diff(before: str, after: str) -> "Text":
    """Return `after` with what it adds as {+words+} and what it drops as [-words-], marked also without colour."""
    from rich.text import Text

    old, new = _words(before), _words(after)
    shown = Text()
    for tag, low, high, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        gone, come = "".join(old[low:high]), "".join(new[first:last])
        if tag == "equal":
            shown.append(come)
            continue
        if gone:
            shown.append(f"[-{gone}-]", style="red")
        if come:
            shown.append(f"{{+{come}+}}", style="green")
    return shown


def line_diff(before: str, after: str) -> "Text":
    """Return the lines that differ, word by word, each run between two lines that don't."""
    from rich.text import Text

    old, new = before.splitlines(), after.splitlines()
    shown, told_up_to = Text(), 0
    for tag, low, high, first, last in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        if first - 1 > told_up_to:
            shown.append("...\n", style="dim")
        if first > told_up_to:
            shown.append(f"{new[first - 1]}\n", style="dim")
        shown.append_text(word_diff("\n".join(old[low:high]), "\n".join(new[first:last]))).append("\n")
        if last < len(new):
            shown.append(f"{new[last]}\n", style="dim")
        told_up_to = last + 1
    shown.rstrip()
    return shown


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)
