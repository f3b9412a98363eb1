"""`offers copy`: the approved texts, who approved them, and approving them for judge clauses."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from server.commands.copy_view import Approvable, Desk
    from tools.policies.clauses import ActiveClause

app = typer.Typer(no_args_is_help=True, help="List approved copy, and approve it for the questions of judge clauses.")
LONGEST_NAME: Final = 200


@app.command("list")
def list_blocks(
    missing: Annotated[
        bool, typer.Option("--missing", help="Only blocks that are not approved, or lack an active judge clause.")
    ] = False,
) -> None:
    """List every block of copy: field, scope, who approved it when, and the active judge clauses it doesn't cover.

    A block that lacks one is not used while no judge is configured. Texts of push, SMS and in-app messages stand at the
    end (`delivery:...`); one that lacks a clause leaves its channel out.

    Example:

        offers copy list
        offers copy list --missing
    """
    from server.commands.copy_view import blocks_table

    with busy("reading copy and policies"):
        desks = _desks()
    every = [(desk, block) for desk in desks for block in desk.blocks]
    open_ones = [(desk, block) for desk, block in every if desk.open(block, desk.active)]
    if shown := open_ones if missing else every:
        out().print(blocks_table(shown))
    lacking = len(open_ones)
    out().print(
        f"{len(every)} blocks, {len(desks[0].active)} active judge clauses; {lacking} blocks lack an approval"
        + (": `offers copy approve --all --by NAME`" if lacking else ""),
        soft_wrap=True,
    )


@app.command(no_args_is_help=True)
def approve(
    by: Annotated[str, typer.Option("--by", metavar="NAME", help="Who read the texts and answers for them.")],
    blocks: Annotated[list[str] | None, typer.Argument(metavar="[BLOCK]...", help="Ids of blocks.")] = None,
    all_blocks: Annotated[bool, typer.Option("--all", help="Every block that lacks the approval.")] = False,
    for_policy: Annotated[
        str | None,
        typer.Option("--for", metavar="POLICY_ID", help="Only this policy's judge clauses; it may still be a draft."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Don't ask; the texts were read elsewhere.")] = False,
) -> None:
    """Approve copy as it stands, for every active judge clause, or for one policy's before it goes live.

    Shows the texts and the questions, asks, and adds a record to `policies/copy/approvals.yaml`, or to that of
    `policies/delivery` for push, SMS and in-app texts. A letter or a scope
    that changes later, or another version of a policy, ends the approval.

    Example:

        offers copy approve credit_subject_1 --by "A. Officer"
        offers copy approve --all --for UDAAP-10 --by "A. Officer"
    """
    from server.commands.copy_view import shown_clauses, shown_texts
    from tools.errors import InputInvalid

    if not by.strip() or len(by) > LONGEST_NAME:
        raise InputInvalid(f"--by is {by[:40]!r}; give the name of the person who read the texts")
    with busy("reading copy and policies"):
        desks = _desks()
    clauses = _clauses(desks[0], for_policy)
    named = _chosen(desks, blocks or [], all_blocks=all_blocks)
    chosen = [(desk, block) for desk, block in named if desk.open(block, clauses)]
    if not chosen:
        out().print(f"nothing to approve: these blocks cover all {len(clauses)} clauses")
        return
    out().print(shown_texts([block for _, block in chosen]))
    out().print(shown_clauses(clauses))
    question = f"Does {plain(by)} answer for these {len(chosen)} texts under these {len(clauses)} clauses?"
    if not yes and not typer.confirm(question):
        out().print("nothing was written")
        raise typer.Exit(1)
    paths = []
    for desk in desks:
        if mine := [block for at, block in chosen if at is desk]:
            paths.append(str(desk.record(by, date.today(), mine, clauses)))
    written = " and ".join(paths)
    out().print(f"approved {len(chosen)} blocks for {len(clauses)} clauses; written to {written}", soft_wrap=True)


def _desks() -> "tuple[Desk, Desk]":
    from graph.settings import load_settings
    from server.commands.copy_view import Desk
    from server.commands.policies import loaded

    folder, policies = load_settings().policies_dir, loaded()[0]
    return Desk.of(folder / "copy", policies), Desk.of_deliveries(folder / "delivery", policies)


def _clauses(desk: "Desk", policy_id: str | None) -> "Sequence[ActiveClause]":
    from tools.errors import InputInvalid

    if policy_id is None:
        return desk.active
    policy = desk.policies.get(policy_id)
    if policy is None:
        known = ", ".join(policy.id for policy in desk.policies.policies)
        raise InputInvalid(f"--for: there is no policy {policy_id!r}; known: {known}")
    clauses = tuple(clause for clause in policy.clauses if clause.clause.kind == "judge")
    if not clauses:
        raise InputInvalid(f"--for: policy {policy.id} has no clause of kind judge, so copy needs no approval for it")
    return clauses


def _chosen(desks: "Sequence[Desk]", names: list[str], *, all_blocks: bool) -> "list[tuple[Desk, Approvable]]":
    from tools.errors import InputInvalid

    if all_blocks == bool(names):
        raise InputInvalid("name the blocks to approve, or give --all; `offers copy list --missing` shows what is open")
    known = {block.id: (desk, block) for desk in desks for block in desk.blocks}
    if unknown := [name for name in names if name not in known]:
        raise InputInvalid(f"there is no block {unknown[0]!r}; `offers copy list` shows every id")
    return list(known.values()) if all_blocks else [known[name] for name in dict.fromkeys(names)]
