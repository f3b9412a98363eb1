"""`offers policies diff`: what changed between two versions of the policies, and which way."""

import asyncio
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain
from server.commands.git import git

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.ledger.stored_texts import StoredTexts
    from tools.policies.comparison import Change, PolicyChange, PolicyText

app = typer.Typer()
README: Final = "README.md"
_HASH: Final = re.compile(r"[0-9a-f]{8,64}")
STYLES: Final = {"stricter": "green", "looser": "yellow", "": "dim"}


@dataclass(frozen=True, slots=True)
class Version:
    """The policies of one side, by id. `whole` is false for a single policy: then only that one is compared."""

    policies: "dict[str, PolicyText]"
    whole: bool = True


@app.command(no_args_is_help=True)
def diff(
    old: Annotated[
        str,
        typer.Argument(help="A folder, a policy file, a git revision, or the hash of a set or policy ever in force."),
    ],
    new: Annotated[str | None, typer.Argument(help="The same; default: POLICIES_DIR as it is now.")] = None,
) -> None:
    """Say what differs between two versions of the policies: added, removed, changed, and what makes the set stricter.

    Which way a change goes is said where the text decides it: limits, scope, severity, lists of patterns. A changed
    expression or question is shown and left to you; `offers policies impact` says which offers it would hit. A hash is
    looked up in the ledger, by its first 8 characters or more.

    Example:

        offers policies diff HEAD
        offers policies diff policies /srv/policies
        offers policies diff 3f0a9c1d2b44 HEAD
    """
    from graph.settings import load_settings
    from tools.policies.comparison import compare

    settings = load_settings()
    with busy("comparing"):
        before, after = read(old, settings), read(new or str(settings.policies_dir), settings)
        asked = {name for side in (before, after) if not side.whole for name in side.policies}
        sides = [
            {name: text for name, text in side.policies.items() if not asked or name in asked}
            for side in (before, after)
        ]
        changes = compare(*sides)
    for change in changes:
        _print(change)
    _sum_up(changes)


def read(given: str, settings: "Settings") -> Version:
    """Return the policies that a folder, a file, a git revision or a hash of the ledger names.

    Raises:
        InputInvalid: it names none of these.
        PolicyInvalid: a policy there can't be read; with file, line and column.
        DatabaseUnavailable: it may be a hash, and the ledger can't be asked.
    """
    from tools.errors import InputInvalid
    from tools.policies.load import read_text

    path = Path(given)
    if path.is_dir():
        texts = {one: _file(one) for one in sorted(path.glob("*.md")) if one.name != README}
    elif path.is_file():
        texts = {path: _file(path)}
    elif (found := _at_revision(given, settings.policies_dir)) is not None:
        texts = found
    elif _HASH.fullmatch(given):
        return _in_ledger(given, settings)
    else:
        reason = f"{given}: no folder, no file, no git revision of {settings.policies_dir} and no hash"
        raise InputInvalid(f"{reason}; give a path that exists or a revision such as HEAD~1")
    if not texts:
        raise InputInvalid(f"{given}: there is no policy in it; give a folder with *.md files, a file or a revision")
    policies = [read_text(text, one) for one, text in texts.items()]
    return Version({policy.front.id: policy for policy in policies}, whole=not path.is_file())


def _in_ledger(sha: str, settings: "Settings") -> Version:
    from graph.database import open_database
    from tools.errors import InputInvalid
    from tools.ledger.stored_texts import texts_of
    from tools.policies.load import read_stored

    async def ask() -> "StoredTexts":
        database = open_database(settings)
        try:
            return await texts_of(database, sha)
        finally:
            await database.aclose()

    found = asyncio.run(ask())
    if not found.texts:
        raise InputInvalid(f"{sha}: no set and no policy of this hash was ever in force; see `offers policies list`")
    return Version(
        {name: read_stored(text, Path(f"{sha}:{name}")) for name, text in found.texts.items()}, whole=found.is_set
    )


def _file(path: Path) -> str:
    from tools.errors import PolicyInvalid

    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(path, 1, f"can't be read: {error}; a policy is a file of UTF-8 text") from error


def _at_revision(revision: str, folder: Path) -> dict[Path, str] | None:
    """Return the policy files as a commit has them; None when git knows no such commit of the folder."""
    names = (
        None
        if revision.startswith("-")
        else git(folder, "ls-tree", "--full-tree", "-z", "--name-only", f"{revision}:./")
    )
    if names is None:
        return None
    wanted = [name for name in names.split("\0") if name.endswith(".md") and name != README]
    return {Path(f"{revision}:{name}"): git(folder, "show", f"{revision}:./{name}") or "" for name in wanted}


def _print(change: "PolicyChange") -> None:
    from rich.text import Text

    was, now = change.versions
    versions = {"added": f"version {now}", "removed": f"was version {was}"}.get(change.kind, f"version {was} -> {now}")
    if was == now:
        versions = f"version {now}"
    title = Text.assemble((plain(change.policy_id), "bold"), f"  {change.kind}, {versions}")
    out().print(title, soft_wrap=True)
    clause = ""
    for one in change.changes:
        if one.clause != clause:
            clause = one.clause
            out().print(Text(f"  clause {plain(clause)}"), soft_wrap=True)
        out().print(_line(one), soft_wrap=True)


def _line(change: "Change") -> object:
    from rich.text import Text

    label = f"{change.effect or '':<8}"
    return Text.assemble("    ", (label, STYLES[change.effect]), f"  {plain(change.what)}")


def _sum_up(changes: "tuple[PolicyChange, ...]") -> None:
    if not changes:
        out().print("no difference")
        return
    effects = [one.effect for change in changes for one in change.changes]
    kinds = [change.kind for change in changes]
    told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("added", "removed", "changed") if kind in kinds)
    out().print(
        f"policies: {told}; changes: {effects.count('stricter')} stricter, {effects.count('looser')} looser, "
        f"{effects.count('')} that the text alone doesn't decide",
        soft_wrap=True,
    )
