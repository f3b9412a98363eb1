"""`offers policies`: what compliance officers do with the policies folder before a change is live."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain
from server.commands.policy_versions import show_version

if TYPE_CHECKING:
    from graph.settings import Settings
    from tools.policies import Policy, PolicySet
    from tools.policies.schema import Clause
    from tools.subject import Detector

app = typer.Typer(
    no_args_is_help=True, help="Lint, list, show and test the policies; propose, approve and retire versions."
)
ENOUGH: Final = 3
"""Examples of each side that a clause should have."""
UNTESTED: Final = {"judge": "answered by a judge or approved copy", "attest": "answered by a person"}
"""Kinds whose examples no code can run."""
PolicyName = Annotated[str | None, typer.Argument(metavar="ID", help="One policy; default: all.")]


@app.command()
def lint() -> None:
    """Print everything in POLICIES_DIR that would stop the start, as file:line: reason. Exits with 1 when any.

    Example:

        offers policies lint
        POLICIES_DIR=/srv/policies offers policies lint
    """
    from graph.settings import load_settings

    settings = load_settings()
    with busy("reading the policies"):
        problems = _problems(settings)
    for problem in problems:
        out().out(plain(problem), highlight=False)
    if problems:
        raise typer.Exit(1)
    out().print(f"{settings.policies_dir}: nothing to correct", soft_wrap=True)


@app.command("list")
def list_policies() -> None:
    """List every policy: type, domains, version, status, number of clauses, and its line in prompts.

    Example:

        offers policies list
    """
    from server.commands.policy_view import policies_table

    out().print(policies_table(_policies()[0]))


@app.command(no_args_is_help=True)
def show(
    policy_id: Annotated[str, typer.Argument(metavar="ID", help="The policy's id.")],
    sha: Annotated[str | None, typer.Option(help="Print the text of the version with this hash instead.")] = None,
) -> None:
    """Show one policy: where it applies and what it rests on, every clause, and its prose.

    With `--sha`, the text of any version that was ever in force or proposed, as the ledger keeps it.

    Example:

        offers policies show dining_offer_policy
        offers policies show gift_card_policy --sha 5f0c2a91
    """
    if sha is not None:
        show_version(policy_id, sha)
        return
    from server.commands.policy_view import policy_view

    (policy,) = _chosen(_policies()[0], policy_id)
    out().print(policy_view(policy))


@app.command()
def test(policy_id: PolicyName = None) -> None:
    """Run the examples of every clause, or of one policy's. Exits with 1 when one comes out otherwise than declared.

    Example:

        offers policies test
        offers policies test dining_offer_policy
    """
    from server.commands.policy_view import clauses_table, shown
    from tools.policies.examples import run_examples
    from tools.policies.source import read_source

    with busy("running the examples"):
        policies, detectors = _policies()
        table = clauses_table("violating", "conforming", "result")
        failures = []
        for policy in _chosen(policies, policy_id):
            lines = read_source(policy.path).lines
            table.add_row(shown(policy.id, "bold"))
            for index, active in enumerate(policy.clauses):
                clause = active.clause
                failed = run_examples(active, detectors)
                untested = clause.kind in UNTESTED
                result = f"[red]{len(failed)} fail" if failed else "[dim]not run" if untested else "[green]ok"
                table.add_row(f"  {clause.id}", clause.kind, *map(str, _examples(clause)), result)
                failures += [
                    f"{policy.path}:{lines.at('clauses', index, *fault.location)}: clause {clause.id!r}: {fault}"
                    for fault in failed
                ]
    out().print(table)
    for failure in failures:
        out().out(plain(failure), highlight=False)
    if failures:
        raise typer.Exit(1)


@app.command()
def coverage() -> None:
    """List the clauses no example proves, and those with fewer than three violating and three conforming examples.

    Example:

        offers policies coverage
    """
    from server.commands.policy_view import clauses_table, shown

    table = clauses_table("violating", "conforming", "note")
    policies = _policies()[0]
    thin = total = 0
    for policy in policies.policies:
        found = [active.clause for active in policy.clauses if _is_thin(active.clause)]
        total, thin = total + len(policy.clauses), thin + len(found)
        if found:
            table.add_row(shown(policy.id, "bold"))
        for clause in found:
            table.add_row(f"  {clause.id}", clause.kind, *map(str, _examples(clause)), UNTESTED.get(clause.kind, ""))
    out().print(table)
    out().print(
        f"{thin} of {total} clauses: kind judge or attest, or fewer than {ENOUGH} + {ENOUGH} examples", soft_wrap=True
    )


def _examples(clause: "Clause") -> tuple[int, int]:
    return len(clause.examples.violating), len(clause.examples.conforming)


def _is_thin(clause: "Clause") -> bool:
    return clause.kind in UNTESTED or min(_examples(clause)) < ENOUGH


def _problems(settings: "Settings") -> list[str]:
    """Return everything wrong with the policies and, once they are right, the first fault of the other files."""
    from graph.gate import detectors_of
    from tools.errors import PolicyInvalid
    from tools.merchants import load_catalogue
    from tools.policies import lint as lint_folder

    try:
        catalogue = load_catalogue(settings.policies_dir / "merchants.yaml")
        found = lint_folder(settings.policies_dir, detectors=detectors_of(settings, catalogue))
        if not found:
            from graph.deps import load_rulebook

            load_rulebook(settings)
    except PolicyInvalid as error:
        found = [error]
    return [str(problem) for problem in found]


def _policies() -> "tuple[PolicySet, dict[str, Detector]]":
    """Return the policies, their examples not run, and the detectors. Raises PolicyInvalid."""
    from graph.gate import detectors_of
    from graph.settings import load_settings
    from tools.merchants import load_catalogue
    from tools.policies import load_policies

    settings = load_settings()
    detectors = detectors_of(settings, load_catalogue(settings.policies_dir / "merchants.yaml"))
    return load_policies(settings.policies_dir, detectors=detectors, run_examples=False), detectors


def _chosen(policies: "PolicySet", policy_id: str | None) -> "tuple[Policy, ...]":
    from tools.errors import InputInvalid

    if policy_id is None:
        return policies.policies
    policy = policies.get(policy_id)
    if policy is None:
        known = ", ".join(policy.id for policy in policies.policies)
        raise InputInvalid(f"there is no policy {policy_id!r}; known: {known}")
    return (policy,)
