"""Asking git about a folder that may be in no repository at all."""

import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str | None:
    """Return what git prints in a folder; None when it fails, prints no UTF-8, or isn't there."""
    try:
        ran = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True, encoding="utf-8")
    except (OSError, subprocess.CalledProcessError, UnicodeDecodeError):
        return None
    return ran.stdout
