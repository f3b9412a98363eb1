"""`offers policies add | approve | retire`: change control of policies, from the command line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain
from server.commands.policy_versions import SHOWN_SHA, PolicyId, open_versions

if TYPE_CHECKING:
    from graph.change_control import Approved, CopyToReview, PolicyDesk, Proposed
    from graph.settings import Settings

app = typer.Typer()

LONGEST_NAME: Final = 100


def _name(value: str) -> str:
    name = " ".join(value.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise typer.BadParameter(f"{value!r} names nobody; give a name of up to {LONGEST_NAME} printable characters")
    return name


By = Annotated[
    str, typer.Option("--by", metavar="NAME", callback=_name, help="Who does it; recorded with the version.")
]


@app.command(no_args_is_help=True)
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE.md", help="A policy file, or prose without front matter.")],
    by: By,
    policy_type: Annotated[str | None, typer.Option("--type", help="Of prose: the policy's type.")] = None,
    domain: Annotated[str | None, typer.Option(help="Of prose: one domain; default: all.")] = None,
) -> None:
    """Propose a policy: checked, its examples run, and kept as a draft until a second person approves it.

    Prose without front matter becomes a policy with one clause that asks a judge; its id is the file's name.

    Example:

        offers policies add gift_card_policy.md --by "A. Author"
        offers policies add holiday_note.md --by "A. Author" --type offer --domain Dining
    """
    from graph.settings import load_settings
    from server.commands.policy_files import submission_of

    fields = submission_of(file, policy_type=policy_type, domain=domain)
    draft = asyncio.run(_add(load_settings(), fields, by))
    policy = draft.policy
    said = "is kept as a draft" if draft.is_new else "waits already"
    out().print(plain(f"{policy.id} {policy.version} {said} ({policy.sha[:SHOWN_SHA]}); nothing enforces it yet"))
    if policy.note:
        out().print(plain(f"note: {policy.note}"))
    out().print(plain(f"next: a second person reads it and runs `offers policies approve {policy.id} --by NAME`"))


@app.command(no_args_is_help=True)
def approve(
    policy_id: PolicyId,
    by: By,
    sha: Annotated[str | None, typer.Option(help="Hash of the draft that was read; another one is refused.")] = None,
    copy_reviewed: Annotated[
        bool,
        typer.Option("--copy-reviewed", "--yes", help="The copy it would unapprove was read; list it, and don't ask."),
    ] = False,
) -> None:
    """Put a policy's draft in force, as somebody who did not propose it.

    When it has a judge clause, the approved copy it would leave without approval is listed first; going on approves
    that copy for the clause, under this name.

    Example:

        offers policies approve gift_card_policy --by "C. Officer"
    """
    from graph.change_control import CopyToReview
    from graph.settings import load_settings
    from tools.errors import InputInvalid

    settings = load_settings()
    _require_role(settings, by)
    done = asyncio.run(_approve(settings, policy_id, by, sha))
    if isinstance(done, CopyToReview):
        _print_review(done)
        if not copy_reviewed:
            typer.confirm("Was this copy read, and does none of it break the policy?", abort=True)
        done = asyncio.run(_approve(settings, policy_id, by, done.version.sha, done.listing))
    if isinstance(done, CopyToReview):
        raise InputInvalid(f"{policy_id}: the copy changed since it was listed; read it again, and approve once more")
    version = done.version
    out().print(plain(f"{version.policy_id} {version.version} is in force, approved by {by}"))
    if done.copy_approved:
        out().print(f"{done.copy_approved} texts are approved for it")
    out().print("servers load it before their next offer; nothing has to be restarted", soft_wrap=True)


@app.command(no_args_is_help=True)
def retire(
    policy_id: PolicyId,
    by: By,
    draft: Annotated[bool, typer.Option("--draft", help="Withdraw the draft; what is in force stays.")] = False,
) -> None:
    """Take an approved version out of force, or withdraw a draft. Policies that are files are retired in their file.

    Every version stays in the history, and past decisions still name theirs.

    Example:

        offers policies retire gift_card_policy --by "C. Officer"
        offers policies retire gift_card_policy --draft --by "A. Author"
    """
    from graph.settings import load_settings
    from tools.ledger.policy_changes import retire as retire_version

    settings = load_settings()
    if not draft:
        _require_role(settings, by)

    async def run() -> tuple[str, str, int]:
        async with open_versions(settings) as versions:
            return await retire_version(versions.database, policy_id, by, draft=draft)

    version, sha, _ = asyncio.run(run())
    said = "is withdrawn" if draft else "is out of force"
    out().print(plain(f"{policy_id} {version} ({sha[:SHOWN_SHA]}) {said}; its text stays readable by hash"))


async def _add(settings: "Settings", fields: dict[str, str], by: str) -> "Proposed":
    from pydantic import ValidationError

    from graph.run import explain
    from tools.errors import InputInvalid

    async with _desk(settings) as desk:
        try:
            return await desk.propose(fields, by=by)
        except ValidationError as error:
            raise InputInvalid(explain(error)) from error


async def _approve(
    settings: "Settings", policy_id: str, by: str, sha: str | None, copy_reviewed: str | None = None
) -> "Approved | CopyToReview":
    async with _desk(settings) as desk:
        return await desk.approve(policy_id, by=by, sha=sha, copy_reviewed=copy_reviewed)


@asynccontextmanager
async def _desk(settings: "Settings") -> "AsyncIterator[PolicyDesk]":
    from graph.change_control import PolicyDesk
    from graph.database import open_database
    from graph.policy_texts import loaded_set
    from graph.rulebook import load_rulebook

    with busy("reading the policies and the database"):
        files = await asyncio.to_thread(load_rulebook, settings)
        database = open_database(settings, policies=loaded_set(files.policies))
        await database.pool()
    try:
        yield PolicyDesk(database, files)
    finally:
        await database.aclose()


def _require_role(settings: "Settings", by: str) -> None:
    """Hold an officer's act at the command line to the same people as over HTTP, when any are configured."""
    from tools.ledger.policy_changes import ChangeRefused

    if not settings.api_principals:
        return
    if not any(person.name == by and "compliance" in person.roles for person in settings.api_principals):
        raise ChangeRefused(
            "not_allowed", f"--by is {by!r}: not a principal of API_PRINCIPALS with the role compliance"
        )


def _print_review(waiting: "CopyToReview") -> None:
    from server.commands.policy_view import shown

    version = waiting.version
    for ref, question in waiting.questions.items():
        out().print(shown(f"{ref} asks:", "bold"))
        out().print(shown(question))
    for block in waiting.blocks:
        out().print(shown(f"{block.id} ({block.field})", "cyan"))
        out().print(shown(f"  {block.text}"))
    count, name = len(waiting.blocks), f"{version.policy_id} {version.version}"
    told = (
        f"{count} approved texts are not approved for {name}; with it in force, and no judge, offers of them are held."
    )
    out().print(plain(told), soft_wrap=True)
