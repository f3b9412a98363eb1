"""How policies and their versions look in replies."""

from collections.abc import Sequence
from typing import Any

from graph.change_control import Approved, CopyToReview, Proposed
from graph.policy_texts import PREVIEW_CHARACTERS, domains_of
from tools.ledger.versions import Happened, VersionRow
from tools.policies.policy_set import Policy


def listed(policy: Policy) -> dict[str, Any]:
    """Return a policy this process holds, as the list shows it."""
    return {
        "id": policy.id,
        "type": policy.type,
        "domain": domains_of(policy),
        "preview": policy.prose[:PREVIEW_CHARACTERS],
        "status": policy.front.status,
        "version": policy.version,
        **_noted(policy.note),
    }


def listed_row(row: VersionRow) -> dict[str, Any]:
    """Return a version of the ledger, as the list shows it."""
    return {
        "id": row.policy_id,
        "type": row.type,
        "domain": row.domain,
        "preview": row.preview,
        "status": row.state,
        "version": row.version,
        **_noted(row.note),
    }


def whole(policy: Policy) -> dict[str, Any]:
    """Return a policy this process holds, with its text."""
    clauses = [
        {"id": clause.id, "kind": clause.kind, "stage": clause.stage, "severity": clause.severity}
        for clause in policy.front.clauses
    ]
    return {
        **listed(policy),
        "sha": policy.sha,
        "source": policy.origin,
        "citation": policy.front.citation,
        "brief": policy.brief,
        "clauses": clauses,
        "content": policy.text,
    }


def whole_row(row: VersionRow, events: Sequence[Happened]) -> dict[str, Any]:
    """Return a version of the ledger, with its text and its history."""
    return {**version(row, events), "content": row.content}


def version(row: VersionRow, events: Sequence[Happened]) -> dict[str, Any]:
    """Return a version of the ledger with what happened to it. A version only files held has status `file`."""
    return {
        **listed_row(row),
        "status": row.state or "file",
        "sha": row.sha,
        "history": [{"event": item.event, "by": item.by, "at": item.at.isoformat()} for item in events],
    }


def proposed(draft: Proposed) -> dict[str, Any]:
    """Return the reply to a proposal: the fields existing callers read, and ours."""
    policy = draft.policy
    kept = "kept as a draft" if draft.is_new else "this very draft waits already"
    return {
        "success": True,
        "message": f"{kept}; it takes effect once a second person approves it",
        "policy_id": policy.id,
        "type": policy.type,
        "domain": domains_of(policy),
        "status": "draft",
        "version": policy.version,
        "sha": policy.sha,
        **_noted(policy.note),
    }


def approved(done: Approved) -> dict[str, Any]:
    """Return the reply to an approval."""
    return {
        "success": True,
        "message": f"in force: every offer claimed from now on is held to {done.version.policy_id}",
        "policy_id": done.version.policy_id,
        "version": done.version.version,
        "sha": done.version.sha,
        "status": "active",
        "approved_by": done.by,
        "copy_approved": done.copy_approved,
        "policy_set_sha": done.policy_set_sha,
    }


def to_review(waiting: CopyToReview) -> dict[str, Any]:
    """Return what has to be read before a draft comes into force, and how to go on."""
    count, name = len(waiting.blocks), waiting.version.policy_id
    return {
        "detail": f"{count} approved texts are not approved for {name} {waiting.version.version}; with it in force,"
        " and no judge to ask, offers made of them are held. Read the blocks against the questions, then send `next`:"
        " it approves them under your name and puts the policy in force. Mend a text that breaks it first.",
        "next": {"copy_reviewed": True, "sha": waiting.version.sha, "listing": waiting.listing},
        "questions": dict(waiting.questions),
        "blocks": [
            {"id": block.id, "field": block.field, "text": block.text, "text_sha": block.text_sha}
            for block in waiting.blocks
        ],
    }


def _noted(note: str) -> dict[str, str]:
    return {"note": note} if note else {}
