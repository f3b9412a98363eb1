"""`offers policies coverage`: which clauses anything was ever seen to fire."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from server.commands.console import busy, out, plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.table import Table

    from tools.policies.clauses import ActiveClause
    from tools.subject import Detector

app = typer.Typer()
ENOUGH: Final = 3
"""Examples of each side, and plants, that a clause should have."""
UNTESTED: Final = {"judge": "answered by a judge or approved copy", "attest": "answered by a person"}
"""Kinds whose examples no code can run."""
PLANTS: Final = Path("tests/gate/plants")
"""Where the mutation suite keeps its plants, beside the policies folder."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows that one clause works. `fired` are violating examples that it was seen to catch."""

    kind: str
    violating: int
    conforming: int
    fired: int
    plants: int | None

    @property
    def never_fired(self) -> bool:
        """Whether neither an example nor a plant fires the clause; a person's word is fired by its absence."""
        return not self.fired and not self.plants and self.kind != "attest"

    @property
    def is_thin(self) -> bool:
        """Whether the clause is shown by less than it should be."""
        few_plants = self.plants is not None and self.plants < ENOUGH and self.kind != "attest"
        return self.kind in UNTESTED or few_plants or min(self.fired, self.violating, self.conforming) < ENOUGH


@app.command()
def coverage(
    plants: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Plants of the mutation suite; default: tests/gate/plants beside the policies, if any."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every clause, not only those shown by too little.")
    ] = False,
) -> None:
    """List the clauses that no example and no plant of the mutation suite fires, and those with fewer than three.

    `make gate` puts every plant on compliant offers and shows that its clause catches it.

    Example:

        offers policies coverage
        offers policies coverage --all
    """
    from server.commands.policies import loaded
    from server.commands.policy_view import clauses_table, shown

    with busy("running the examples"):
        policies, detectors, folder = loaded()
        beside = folder.resolve().parent / PLANTS
        source = plants or (beside if beside.is_dir() else None)
        found = {
            policy: [(active.clause.id, _shown(active, detectors, counts)) for active in policy.clauses]
            for policy in policies.policies
            for counts in [_plants(source, policy.id)]
        }
    table = clauses_table("violating", "conforming", *(["plants"] if source else []), "note")
    for policy, clauses in found.items():
        listed = [(name, one) for name, one in clauses if every or one.is_thin or one.never_fired]
        if listed:
            table.add_row(shown(policy.id, "bold"))
        for name, one in listed:
            _add_row(table, name, one)
    out().print(table)
    _say([(policy.id, name, one) for policy, clauses in found.items() for name, one in clauses], planted=bool(source))


def _shown(active: "ActiveClause", detectors: "Mapping[str, Detector]", plants: "Mapping[str, int] | None") -> Shown:
    from tools.policies.examples import run_examples

    examples, kind = active.clause.examples, active.clause.kind
    failed = sum(fault.location[1] == "violating" for fault in run_examples(active, detectors))
    fired = 0 if kind in UNTESTED else len(examples.violating) - failed
    planted = None if plants is None else plants.get(active.clause.id, 0)
    return Shown(kind, len(examples.violating), len(examples.conforming), fired, planted)


def _plants(folder: Path | None, policy_id: str) -> dict[str, int] | None:
    """Return how many plants each clause of a policy has, None when there is no suite. Raises PolicyInvalid."""
    from tools.errors import PolicyInvalid
    from tools.yaml_lines import read_yaml

    if folder is None:
        return None
    path = folder / f"{policy_id}.yaml"
    if not path.exists():
        return {}
    value, _ = read_yaml(path)
    if not isinstance(value, dict):
        raise PolicyInvalid(path, 1, "plants are lists by clause id; write `clause_id:` and its plants below")
    return {str(name): len(given) for name, given in value.items() if isinstance(given, list)}


def _add_row(table: "Table", name: str, one: Shown) -> None:
    violating = str(one.violating)
    if one.kind not in UNTESTED and one.fired < one.violating:
        violating = f"{one.fired} of {one.violating}"
    note = UNTESTED.get(one.kind) or ("[red]never fired" if one.never_fired else "")
    planted = [] if one.plants is None else [str(one.plants)]
    table.add_row(f"  {name}", one.kind, violating, str(one.conforming), *planted, note)


def _say(clauses: list[tuple[str, str, Shown]], *, planted: bool) -> None:
    thin = sum(one.is_thin for _, _, one in clauses)
    asked = f"{ENOUGH} + {ENOUGH} examples" + (f" or {ENOUGH} plants" if planted else "")
    out().print(f"{thin} of {len(clauses)} clauses: kind judge or attest, or fewer than {asked}", soft_wrap=True)
    silent = [f"{policy}/{name}" for policy, name, one in clauses if one.never_fired]
    by = "no example and no plant" if planted else "no example"
    if silent:
        out().out(plain(f"fired by {by}: {', '.join(silent)}"), highlight=False)
    else:
        out().print(f"every clause is fired by an example{' or a plant' if planted else ''}", soft_wrap=True)
