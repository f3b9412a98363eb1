"""A policies folder with a judge clause more than the issuer's, and approvals of its copy."""

import shutil
from datetime import date
from pathlib import Path
from typing import Final

from tests.tools.policies.written import clause, write_policy
from tools.copy_approvals import Approval
from tools.copy_blocks import read_blocks
from tools.policies.clauses import question_sha

POLICIES: Final = Path(__file__).parent.parent / "policies"
QUESTION: Final = "Does the copy shame the reader?"
REF: Final = f"tone_policy/shaming@1.0.0#{question_sha(QUESTION)}"


def with_judge_clause(folder: Path, **front: object) -> Path:
    """Copy the issuer's policies into a folder and add one with a judge clause."""
    shutil.copytree(POLICIES, folder)
    shaming = clause("judge", id="shaming", question=QUESTION, message="It shames.", fix_hint="Be kind.")
    write_policy(folder, shaming, policy_id="tone_policy", **front)
    return folder


def approval_of_all(*refs: str) -> Approval:
    """Return an approval of every block of the issuer's copy."""
    blocks = {block.id: block.text_sha for block in read_blocks(POLICIES / "copy")}
    return Approval(approved_by="the tests", approved_at=date(2026, 3, 1), covers=refs, blocks=blocks)
