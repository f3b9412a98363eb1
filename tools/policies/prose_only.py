"""A policy that is prose alone: how free text becomes a whole policy, with one clause that asks a judge."""

from datetime import date
from typing import Final

import yaml

from tools.policies.schema import BRIEF_WORDS

CLAUSE: Final = "keeps_to_the_text"
"""Id of the one clause, which a judge answers, or a person who approved the copy for it."""
_LONGEST_BRIEF: Final = 200


def prose_policy(
    content: str, *, policy_id: str, version: str, policy_type: str, domain: str, sent_by: str, sent_on: date
) -> str:
    """Return the policy file that free text stands for. `domain` is one of the domains, or `all`.

    Code can't tell what the text asks, so its one clause puts the whole text to a judge; without an answer, and without
    copy approved for this very clause, an offer in its scope is held.
    """
    front = {
        "id": policy_id,
        "version": version,
        "status": "draft",
        "effective": sent_on.isoformat(),
        "owner": sent_by,
        "approved_by": "recorded beside this version",
        "basis": "policy",
        "citation": f"sent in by {sent_by} as free text",
        "type": policy_type,
        "brief": _brief(content),
        "scope": {"domains": [] if domain == "all" else [domain]},
        "clauses": [
            {
                "id": CLAUSE,
                "kind": "judge",
                "stage": "copy",
                "severity": "block",
                "message": f"The copy may break {policy_id}, which is prose without a machine clause.",
                "fix_hint": "Leave out what the policy's text doesn't allow.",
                "question": f"Does the copy break anything that this policy asks of copy?\n\n{content.strip()}",
            }
        ],
    }
    # Quoted and on one line each: nothing in the text can be read as YAML, or end the front matter.
    written = yaml.safe_dump(front, default_style='"', width=10**9, sort_keys=False)
    return f"---\n{written}---\n{content.strip()}\n"


def _brief(content: str) -> str:
    """Return the text's beginning as one printable line, cut to what a prompt takes."""
    printable = "".join(char if char.isprintable() else " " for char in content)
    words = printable.lstrip("# ").split()
    brief = " ".join(words[:BRIEF_WORDS])
    return brief[:_LONGEST_BRIEF].strip() or "A policy in prose."
