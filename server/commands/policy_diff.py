"""`offers policies diff`: what changed between two versions of the policies, and which way."""

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain

if TYPE_CHECKING:
    from tools.policies.comparison import Change, PolicyChange, PolicyText

app = typer.Typer()
README: Final = "README.md"
STYLES: Final = {"stricter": "green", "looser": "yellow", "": "dim"}


@app.command(no_args_is_help=True)
def diff(
    old: Annotated[str, typer.Argument(help="A folder, a policy file, or a git revision such as HEAD~1.")],
    new: Annotated[str | None, typer.Argument(help="The same; default: POLICIES_DIR as it is now.")] = None,
) -> None:
    """Say what differs between two versions of the policies: added, removed, changed, and what makes the set stricter.

    Which way a change goes is said where the text decides it: limits, scope, severity, lists of patterns. A changed
    expression or question is shown and left to you; `offers policies impact` says which offers it would hit.

    Example:

        offers policies diff HEAD
        offers policies diff policies /srv/policies
        offers policies diff v1.2 HEAD
    """
    from graph.settings import load_settings
    from tools.policies.comparison import compare

    folder = load_settings().policies_dir
    with busy("comparing"):
        changes = compare(read(old, folder), read(new or str(folder), folder))
    for change in changes:
        _print(change)
    _sum_up(changes)


def read(given: str, folder: Path) -> "dict[str, PolicyText]":
    """Return the policies that a folder, a file or a git revision holds, by id.

    Raises:
        InputInvalid: it is none of these.
        PolicyInvalid: a policy there can't be read; with file, line and column.
    """
    from tools.errors import InputInvalid
    from tools.policies.load import read_text

    path = Path(given)
    if path.is_dir():
        texts = {one: _file(one) for one in sorted(path.glob("*.md")) if one.name != README}
    elif path.is_file():
        texts = {path: _file(path)}
    else:
        texts = _at_revision(given, folder)
    if not texts:
        raise InputInvalid(f"{given}: there is no policy in it; give a folder with *.md files, a file or a revision")
    policies = [read_text(text, one) for one, text in texts.items()]
    return {policy.front.id: policy for policy in policies}


def _file(path: Path) -> str:
    from tools.errors import PolicyInvalid

    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyInvalid(path, 1, f"can't be read: {error}; a policy is a file of UTF-8 text") from error


def _at_revision(revision: str, folder: Path) -> dict[Path, str]:
    """Return the policy files as a commit has them."""
    names = _git(folder, revision, "ls-tree", "--full-tree", "-z", "--name-only", f"{revision}:./")
    wanted = [name for name in names.split("\0") if name.endswith(".md") and name != README]
    return {Path(f"{revision}:{name}"): _git(folder, revision, "show", f"{revision}:./{name}") for name in wanted}


def _git(folder: Path, revision: str, *arguments: str) -> str:
    from tools.errors import InputInvalid

    if revision.startswith("-"):
        raise InputInvalid(f"{revision}: no folder, file or git revision; see `offers policies diff --help`")
    try:
        ran = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=True, encoding="utf-8")
    except (OSError, subprocess.CalledProcessError, UnicodeDecodeError) as error:
        said = getattr(error, "stderr", None) or str(error)
        reason = f"{revision}: no folder or file, and git knows no such revision of {folder} ({said.strip()})"
        raise InputInvalid(f"{reason}; give a path that exists or a revision such as HEAD~1") from error
    return ran.stdout


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
