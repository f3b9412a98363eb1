"""A comparison as one HTML file: no script, nothing from elsewhere, light and dark, made for phones and desks alike."""

from functools import cache

from jinja2 import Template

from server.evaluation.compare import Comparison
from server.evaluation.report.drafts import MOST_SHOWN, differing
from server.evaluation.report.markdown import CHANGES, STANDING_NOTES, WORDS
from server.evaluation.report.page import TEMPLATES, environment, styled
from server.evaluation.report.view import (
    clause_lines,
    compared_line,
    other_lines,
    outcome_lines,
    run_lines,
    scales,
)

def html(comparison: Comparison) -> str:
    """Return the report. Whatever a model, a policy or a file name holds is shown as text."""
    drafts = differing(comparison.pairing)
    lines = clause_lines(comparison)
    return _template().render(
        **styled(TEMPLATES / "report.css"),
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
    return environment(TEMPLATES).get_template("report.html.j2")
