"""Policies that tests send in: whole files as text."""

from typing import Any

import yaml

ZEBRA = {
    "id": "names_a_zebra",
    "kind": "pattern",
    "stage": "copy",
    "severity": "block",
    "require": [r"\bzebra\b"],
    "message": "The copy names no zebra.",
    "fix_hint": "Name a zebra.",
    "examples": {"violating": [{}], "conforming": ["A zebra crosses."]},
}
"""No copy of ours conforms to this clause."""

QUIET = ZEBRA | {
    "id": "names_no_zebra",
    "forbid": [r"\bzebra\b"],
    "message": "The copy names a zebra.",
    "examples": {"violating": ["A zebra crosses."], "conforming": [{}]},
}
QUIET.pop("require")
"""All copy of ours conforms to this clause."""


def policy_text(*clauses: dict[str, Any], policy_id: str = "zebra_policy", **front: Any) -> str:
    """Return a policy file that nothing is wrong with; by default it blocks every offer."""
    data = {
        "id": policy_id,
        "version": "1.0.0",
        "status": "draft",
        "effective": "2026-11-01",
        "owner": "Compliance",
        "approved_by": "recorded beside this version",
        "basis": "policy",
        "citation": "house rule",
        "type": "compliance",
        "brief": "Zebras are named in every offer.",
        "clauses": list(clauses) or [ZEBRA],
        **front,
    }
    return f"---\n{yaml.safe_dump(data, sort_keys=False)}---\n# Zebras\n\nEvery offer names the zebra crossing.\n"
