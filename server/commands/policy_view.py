"""How policies are shown: a list of them, their clauses, and one of them whole."""

from typing import Final

from rich import box
from rich.console import Group
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from server.commands.console import plain
from tools.policies import Policy, PolicySet
from tools.policies.schema import AttestClause, CelClause, Clause, CodeClause, JudgeClause, PatternClause

LONGEST_ID: Final = 30
"""Columns for a policy's id, so that the usual ones stay whole on a narrow terminal."""


def shown(value: str, style: str = "") -> Text:
    """Return text of a file as a terminal may show it."""
    return Text(plain(value), style=style)


def policies_table(policies: PolicySet) -> Table:
    """Return the list of policies."""
    clauses = sum(len(policy.clauses) for policy in policies.active)
    title = f"{len(policies.active)} policies in force, {clauses} clauses, set {policies.sha[:12]}"
    table = Table(title=title, title_justify="left", show_lines=True)
    table.add_column("id, brief", min_width=LONGEST_ID)
    table.add_column("type, domains")
    table.add_column("version", min_width=8)
    table.add_column("clauses", justify="right", no_wrap=True)
    for policy in policies.policies:
        front = policy.front
        table.add_row(
            Text.assemble((policy.id, "bold"), f"\n{plain(front.brief)}"),
            shown(f"{front.type}\n{', '.join(front.scope.domains) or 'all'}"),
            shown(f"{front.version}\n{front.status}"),
            str(len(policy.clauses)),
        )
    return table


def clauses_table(*columns: str) -> Table:
    """Return an empty table of clauses below the id of their policy; the last column is text, the others counts."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("policy and clause", no_wrap=True)
    table.add_column("kind")
    for name in columns:
        table.add_column(name, justify="left" if name == columns[-1] else "right")
    return table


def policy_view(policy: Policy) -> Group:
    """Return one policy whole: its front matter, its clauses, its prose."""
    front = policy.front
    scope = {name: values for name, values in front.scope.model_dump().items() if values}
    rows = {
        "policy": f"{front.id} {front.version}, {front.status} since {front.effective}",
        "basis": f"{front.basis}: {front.citation}",
        "owner": f"{front.owner}; approved by {front.approved_by}",
        "type": front.type,
        "applies to": "; ".join(f"{name}: {', '.join(values)}" for name, values in scope.items()) or "every offer",
        "brief": front.brief,
        "limits": ", ".join(f"{name} {value:g}" for name, value in front.limits.items()) or "none",
    }
    summary = Table.grid(padding=(0, 2))
    for name, value in rows.items():
        summary.add_row(shown(name, "bold"), shown(value))
    table = Table("clause", "rule and message", show_lines=True)
    for clause in front.clauses:
        head = f"{clause.id}\n{clause.kind}, {clause.stage}, {clause.severity}"
        table.add_row(shown(head), Text.assemble((plain(rule_of(clause)), "cyan"), f"\n{plain(clause.message)}"))
    return Group(summary, table, Markdown(plain(policy.prose), hyperlinks=False))


def rule_of(clause: Clause) -> str:
    """Return what a clause asks, as its file says it, one expression a line."""
    lines = [f"when {clause.when}"] if clause.when else []
    match clause:
        case CelClause():
            lines.append(clause.check)
        case PatternClause():
            for side in ("phrases", "forbid", "require", "unless"):
                lines += [f"{side} {pattern}" for pattern in getattr(clause, side)]
            lines += [f"within {clause.within}"] if clause.within != "sentence" else []
        case CodeClause():
            lines.append(clause.detector + "".join(f", {name} {value}" for name, value in clause.params.items()))
        case JudgeClause():
            lines.append(clause.question)
        case AttestClause():
            lines.append(f"attested by {clause.attested_by}")
    return "\n".join(lines)
