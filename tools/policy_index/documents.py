"""What goes into the policy index and what comes out of it."""

from dataclasses import dataclass, field
from typing import Final

from tools.vocabulary import CardType, Channel, Domain

OPEN: Final = "*"
"""Stands in a scope for "all of that kind"."""


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """One policy as the index needs it. An empty scope field means the policy is open to all of that kind."""

    policy_id: str
    version: str
    sha: str
    type: str
    prose: str
    domains: tuple[Domain, ...] = ()
    card_types: tuple[CardType, ...] = ()
    channels: tuple[Channel, ...] = ()
    offer_types: tuple[str, ...] = ()

    def scope_keys(self) -> tuple[str, ...]:
        """Return the metadata flags that say where this policy applies, for example `domain:Dining` or `channel:*`."""
        kinds: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("domain", self.domains),
            ("card_type", self.card_types),
            ("channel", self.channels),
            ("offer_type", self.offer_types),
        )
        return tuple(f"{kind}:{value}" for kind, values in kinds for value in (values or (OPEN,)))


@dataclass(frozen=True, slots=True)
class PolicyChunk:
    """One section of a policy's prose. `position` counts from 0; `scope` is `PolicyDocument.scope_keys`."""

    policy_id: str
    version: str
    sha: str
    type: str
    section: str
    position: int
    text: str
    scope: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What a sync did, as sorted policy ids. `rebuilt` tells that a damaged index was made anew."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    rebuilt: bool = False


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What the index holds now. `versions` maps policy id to the indexed version."""

    location: str
    collection: str
    embedding_model: str
    versions: dict[str, str]
    chunks: int
