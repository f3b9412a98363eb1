"""Reports of a comparison: Markdown for terminals and reviews, one HTML file for everybody else."""

from pathlib import Path
from typing import NamedTuple

from server.evaluation.compare import Comparison
from server.evaluation.report.html import html
from server.evaluation.report.markdown import markdown


class Reports(NamedTuple):
    """Where the reports were written."""

    markdown: Path
    html: Path


def write_report(folder: Path, comparison: Comparison) -> Reports:
    """Write `report.md` and `report.html` into the folder, made if need be; each is there as a whole or not at all.

    OSError when the folder can't be written. Files and CPU: not for an event loop.
    """
    folder.mkdir(parents=True, exist_ok=True)
    reports = Reports(folder / "report.md", folder / "report.html")
    for path, text in ((reports.markdown, markdown(comparison)), (reports.html, html(comparison))):
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    return reports
