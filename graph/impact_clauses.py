"""What the clauses that decided an offer said, to tell whether one of today says the same."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tools.errors import PolicyInvalid
from tools.policies.clauses import ActiveClause
from tools.policies.load import read_stored
from tools.policies.schema import FrontMatter

_UNWEIGHED: Final = {"message", "fix_hint", "examples", "severity"}
"""Parts of a clause that don't change what it finds."""


def read_front(content: str) -> FrontMatter | None:
    """Return the front matter of a policy text as the ledger keeps it, None when today's code can't read it."""
    try:
        return read_stored(content, Path("policy_version")).front
    except PolicyInvalid:
        return None


class Recorded:
    """What clauses said in the versions that decided: tells whether one says the same now."""

    def __init__(self, texts: Iterable[tuple[str, str, FrontMatter | None]]) -> None:
        """`texts` are (policy id, version, front matter), None for one that can't be read any more."""
        self._texts: dict[tuple[str, str], list[FrontMatter | None]] = {}
        for policy_id, version, front in texts:
            self._texts.setdefault((policy_id, version), []).append(front)

    def says_the_same(self, active: ActiveClause, front: FrontMatter, version: str) -> bool:
        """Tell whether every text known under that version holds this very clause, with the same limits."""
        now = active.clause.model_dump(exclude=_UNWEIGHED)
        texts = self._texts.get((active.policy_id, version), [])
        return bool(texts) and all(
            text is not None
            and text.limits == front.limits
            and any(clause.model_dump(exclude=_UNWEIGHED) == now for clause in text.clauses)
            for text in texts
        )
