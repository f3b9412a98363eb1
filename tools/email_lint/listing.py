"""The table of all checks of stage message, for people."""

from typing import Final

from tools.email_lint.linter import NO_COPY, NO_MEMBER, NO_OFFER, NO_PART, Linter

_NEEDS: Final = {
    NO_PART["headers"]: "headers",
    NO_PART["html"]: "HTML",
    NO_PART["text"]: "text part",
    NO_OFFER: "the offer",
    NO_MEMBER: "the member",
    NO_COPY: "the checked copy",
}


def listing(linter: Linter) -> str:
    """Return a Markdown table: each check's id, severity, basis, what it finds, the remedy, and what it needs."""
    rows = ["| check | severity | rests on | finds | remedy | needs |", "|---|---|---|---|---|---|"]
    for active in linter.clauses():
        policy = linter.gate.policies.get(active.policy_id)
        citation = policy.front.citation if policy else ""
        needs = ", ".join(_NEEDS[need] for need in linter.needs_of(active))
        if unseen := linter.unseen_of(active):
            needs += f"{'; ' if needs else ''}alone it can't tell {unseen}"
        clause = active.clause
        cells = ("/".join(active.key), clause.severity, citation, clause.message, clause.fix_hint, needs)
        rows.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
