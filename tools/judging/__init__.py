"""The judge: one model call per draft for what only a reader can tell, trusted no further than it can be checked."""

from tools.judging.answers import Findings
from tools.judging.judge import Judged, ModelJudge, is_broken, open_clauses
from tools.judging.questions import JUDGE_STEP, Paper, paper_of

__all__ = ["JUDGE_STEP", "Findings", "Judged", "ModelJudge", "Paper", "is_broken", "open_clauses", "paper_of"]
