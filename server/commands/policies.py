"""`offers policies`: what compliance officers do with the policies folder before a change is live."""

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands import policy_coverage, policy_diff, policy_impact
from server.commands.console import busy, out, plain
from server.commands.policy_coverage import UNTESTED
from server.commands.policy_versions import show_version

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from graph.settings import Settings
    from tools.policies import Policy, PolicySet
    from tools.policies.schema import Clause
    from tools.subject import Detector

app = typer.Typer(
    no_args_is_help=True,
    help="Lint, list, show, test and compare the policies; see what a change does; propose, approve, retire versions.",
)
for module in (policy_coverage, policy_diff, policy_impact):
    app.registered_commands += module.app.registered_commands
PolicyName = Annotated[str | None, typer.Argument(metavar="ID", help="One policy; default: all.")]


@app.command()
def lint() -> None:
    """Print everything in POLICIES_DIR that would stop the start, as file:line:column: reason; remedy. Exits with 1.

    No database and no model is needed, so it fits a pull request's checks.

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

    out().print(policies_table(loaded()[0]))


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

    (policy,) = _chosen(loaded()[0], policy_id)
    out().print(policy_view(policy))


@app.command()
def test(policy_id: PolicyName = None) -> None:
    """Run the examples of every clause, or of one policy's. Exits with 1 when one comes out otherwise than declared.

    No database and no model is needed, so it fits a pull request's checks.

    Example:

        offers policies test
        offers policies test dining_offer_policy
    """
    from server.commands.policy_view import clauses_table, shown
    from tools.policies.examples import run_examples
    from tools.policies.source import parse_source

    with busy("running the examples"):
        policies, detectors, _ = loaded()
        table = clauses_table("violating", "conforming", "result")
        failures = []
        for policy in _chosen(policies, policy_id):
            lines = parse_source(policy.text, policy.path).lines
            table.add_row(shown(policy.id, "bold"))
            for index, active in enumerate(policy.clauses):
                clause = active.clause
                failed = run_examples(active, detectors)
                untested = clause.kind in UNTESTED
                result = f"[red]{len(failed)} fail" if failed else "[dim]not run" if untested else "[green]ok"
                table.add_row(f"  {clause.id}", clause.kind, *map(str, _examples(clause)), result)
                for fault in failed:
                    line, column = lines.place("clauses", index, *fault.location)
                    failures.append(f"{policy.path}:{line}:{column}: clause {clause.id!r}: {fault}")
    out().print(table)
    for failure in failures:
        out().out(plain(failure), highlight=False)
    if failures:
        raise typer.Exit(1)


def _examples(clause: "Clause") -> tuple[int, int]:
    return len(clause.examples.violating), len(clause.examples.conforming)


def _problems(settings: "Settings") -> list[str]:
    """Return everything wrong with the policies and, once they are right, the first fault of the other files."""
    from graph.gate import detectors_of
    from tools.errors import PolicyInvalid
    from tools.merchants import load_catalogue
    from tools.policies import lint as lint_folder

    try:
        catalogue = load_catalogue(settings.policies_dir / "merchants.yaml")
        found = lint_folder(settings.policies_dir, detectors=detectors_of(settings.brand_issuer, catalogue))
        if not found:
            from graph.rulebook import load_rulebook

            load_rulebook(settings)
    except PolicyInvalid as error:
        found = [error]
    return [str(problem) for problem in found]


def loaded() -> "tuple[PolicySet, Mapping[str, Detector], Path]":
    """Return the policies, their examples not run, the detectors and the folder. Raises PolicyInvalid."""
    from graph.gate import detectors_of
    from graph.settings import load_settings
    from tools.merchants import load_catalogue
    from tools.policies import load_policies

    settings = load_settings()
    detectors = detectors_of(settings.brand_issuer, load_catalogue(settings.policies_dir / "merchants.yaml"))
    policies = load_policies(settings.policies_dir, detectors=detectors, run_examples=False)
    return policies, detectors, settings.policies_dir


def _chosen(policies: "PolicySet", policy_id: str | None) -> "tuple[Policy, ...]":
    from tools.errors import InputInvalid

    if policy_id is None:
        return policies.policies
    policy = policies.get(policy_id)
    if policy is None:
        known = ", ".join(policy.id for policy in policies.policies)
        raise InputInvalid(f"there is no policy {policy_id!r}; known: {known}")
    return (policy,)
