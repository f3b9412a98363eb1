"""Policies and detectors that tests write for themselves."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.policies import Gate, load_policies
from tools.report import Evidence
from tools.subject import Detector, Subject

EXAMPLES = {"violating": [{}], "conforming": [{}]}


def mentions(subject: Subject, params: Mapping[str, object]) -> Sequence[Evidence]:
    word = str(params.get("word", "forbidden"))
    return [Evidence(field=name, quote=word) for name, text in subject.text.items() if word in text]


def fails(subject: Subject, params: Mapping[str, object]) -> Sequence[Evidence]:
    raise LookupError("the detector broke")


def answers_nonsense(subject: Subject, params: Mapping[str, object]) -> Sequence[Evidence]:
    return [True]  # type: ignore[list-item]


DETECTORS = {
    detector.name: detector
    for detector in (
        Detector("mentions", ("copy",), mentions, frozenset({"word"})),
        Detector("fails", ("terms", "copy"), fails),
        Detector("answers_nonsense", ("copy",), answers_nonsense),
        Detector("reads_message", ("message",), mentions),
    )
}


class _WrittenOut(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        return True


def clause(kind: str = "cel", **fields: Any) -> dict[str, Any]:
    """Return a clause; only what a test cares about has to be given."""
    kinds: dict[str, dict[str, Any]] = {
        "cel": {"check": "offer.reward_value <= 5.0"},
        "pattern": {"forbid": [r"\bunlimited\b"]},
        "code": {"detector": "mentions"},
        "judge": {"question": "Does the copy shame the reader?"},
        "attest": {"attested_by": "account_standing"},
    }
    stage = {"cel": "terms", "attest": "member"}.get(kind, "copy")
    base = {"id": f"a_{kind}", "kind": kind, "stage": stage, "severity": "block", "message": "It is wrong."}
    return {**base, "fix_hint": "Do better.", "examples": EXAMPLES, **kinds[kind], **fields}


def write_policy(folder: Path, *clauses: dict[str, Any], policy_id: str = "house_policy", **front: Any) -> Path:
    """Write a policy file and return its path."""
    data = {
        "id": policy_id,
        "version": "1.0.0",
        "status": "active",
        "effective": "2026-01-05",
        "owner": "Compliance",
        "approved_by": "Compliance, 2026-01-05",
        "basis": "policy",
        "citation": "house rule",
        "type": "compliance",
        "brief": "A rule.",
        "scope": {},
        "limits": {"max_multiplier": 5},
        "clauses": list(clauses) or [clause()],
        **front,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{policy_id}.md"
    path.write_text(
        f"---\n{yaml.dump(data, Dumper=_WrittenOut, sort_keys=False)}---\n# Rule\n\nSay true things.\n",
        encoding="utf-8",
    )
    return path


def gate_of(folder: Path, *clauses: dict[str, Any], front: Mapping[str, Any] | None = None, **parts: Any) -> Gate:
    """Return a gate for one policy of these clauses, its examples not run."""
    write_policy(folder, *clauses, **(front or {}))
    return Gate(load_policies(folder, detectors=DETECTORS, run_examples=False), DETECTORS, **parts)
