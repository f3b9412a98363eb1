"""A comparison as one HTML file: no script, nothing from elsewhere, light and dark, made for phones and desks alike."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from server.evaluation.compare import Comparison
from server.evaluation.report.drafts import MOST_SHOWN, differing
from server.evaluation.report.markdown import CHANGES, STANDING_NOTES, WORDS
from server.evaluation.report.view import (
    clause_lines,
    compared_line,
    other_lines,
    outcome_lines,
    run_lines,
    scales,
)
from tools.readable import shown

TEMPLATES: Final = Path(__file__).parent / "templates"


def html(comparison: Comparison) -> str:
    """Return the report. Whatever a model, a policy or a file name holds is shown as text."""
    drafts = differing(comparison.pairing)
    lines = clause_lines(comparison)
    style = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return _template().render(
        style=Markup(style),
        style_sha=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        word=WORDS[comparison.verdict.word],
        tone={"better": "better", "worse": "worse", "can't tell": "unclear"}[comparison.verdict.word],
        comparison=comparison,
        compared=compared_line(comparison),
        scales=[scale for scale in scales(comparison) if scale.lines],
        wholes=other_lines(comparison),
        clauses=lines,
        most=max((share for line in lines for share in (line.a_share, line.b_share)), default=1.0),
        outcomes=outcome_lines(comparison),
        drafts=drafts[:MOST_SHOWN],
        more=max(0, len(drafts) - MOST_SHOWN),
        changes=CHANGES,
        runs=run_lines(comparison),
        notes=(*comparison.notes, *STANDING_NOTES),
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=lambda value: (
            value if isinstance(value, Markup) else shown(value) if isinstance(value, str) else value
        ),
    )
    return environment.get_template("report.html.j2")
