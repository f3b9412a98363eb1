"""The compliance gate from the policies folder alone: what a check needs where no graph runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from graph.settings import Attestation as Given
from graph.settings import Settings
from tools.claims import claim_detectors
from tools.copy_blocks import CopyBlocks, load_copy_blocks
from tools.delivery.checks import DETECTORS as DELIVERY_DETECTORS
from tools.delivery.texts import DeliveryTexts
from tools.email.message_checks import DETECTORS as MESSAGE_DETECTORS
from tools.grounding import grounding_checks, grounding_detectors
from tools.hygiene import DETECTORS as HYGIENE_DETECTORS
from tools.merchants import Catalogue, Partner, load_catalogue
from tools.policies.evaluation import Attestation
from tools.policies.gate import Gate
from tools.policies.load import load_policies
from tools.policies.policy_set import Policy, PolicySet
from tools.subject import Detector


def load_gate(settings: Settings) -> Gate:
    """Read policies, merchants and approved blocks, and return the gate over them. Contacts nothing.

    Raises PolicyInvalid, with file and line, for what can't be enforced as written.
    """
    folder = settings.policies_dir
    catalogue, blocks = load_catalogue(folder / "merchants.yaml"), load_copy_blocks(folder / "copy")
    return gate_of(
        folder, catalogue, blocks, issuer=settings.brand_issuer, attestations=settings.effective_attestations.items()
    )


def gate_of(
    folder: Path,
    catalogue: Catalogue,
    blocks: CopyBlocks,
    *,
    issuer: str,
    attestations: Iterable[tuple[str, Given]],
) -> Gate:
    """Read the policies of a folder and return the gate over them. Raises PolicyInvalid."""
    detectors = detectors_of(issuer, catalogue)
    return Gate(
        policies=load_policies(folder, detectors=detectors),
        detectors=detectors,
        attestations={name: Attestation(by=given.by, until=given.until) for name, given in attestations},
        merchant_names=catalogue.names(),
        blocks=blocks.covers,
    )


def gate_with(gate: Gate, stored: Sequence[Policy], blocks: CopyBlocks) -> Gate:
    """Return the gate over its policies and those of the ledger, with the blocks as they are approved now."""
    policies = PolicySet.of((*gate.policies.policies, *stored))
    return replace(gate, policies=policies, blocks=blocks.covers)


def with_texts(gate: Gate, texts: DeliveryTexts) -> Gate:
    """Return the gate with the texts of push, SMS and in-app messages among its approved copy."""
    return replace(gate, blocks={**gate.blocks, **texts.covers})


def detectors_of(issuer: str, catalogue: Catalogue) -> Mapping[str, Detector]:
    """Return every detector a clause may name, by name: the same ones for the same partners and issuer."""
    return _detectors(tuple(catalogue.partners.values()), issuer)


@lru_cache(maxsize=16)
def _detectors(partners: tuple[Partner, ...], issuer: str) -> Mapping[str, Detector]:
    aliases = {partner.name: partner.aliases for partner in partners}
    checks = grounding_checks(merchant_names=aliases, issuer=issuer)
    regions = {partner.name: frozenset(partner.regions) for partner in partners if not isinstance(partner.regions, str)}
    detectors = (
        *grounding_detectors(checks),
        *claim_detectors(checks, regions=regions),
        *HYGIENE_DETECTORS,
        *MESSAGE_DETECTORS,
        *DELIVERY_DETECTORS,
    )
    return MappingProxyType({detector.name: detector for detector in detectors})
