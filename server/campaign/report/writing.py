"""Writes a report's file: as a whole or not at all."""

from contextlib import suppress
from pathlib import Path

from server.campaign.report.figures import CampaignFigures
from server.campaign.report.page import page
from tools.errors import InputInvalid


def write_report(path: Path, figures: CampaignFigures) -> Path:
    """Write the page, making its folder if need be, and return where it is.

    Raises InputInvalid for a path that can't be written. Files and CPU: not for an event loop.
    """
    text = page(figures)
    unfinished = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise InputInvalid(
            f"--to is {str(path)!r}: it can't be written ({error.strerror}); name a file in a folder of yours"
        ) from error
    return path
