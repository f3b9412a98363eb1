"""The compliance gate from the policies folder alone: what a check needs where no graph runs."""

from collections.abc import Sequence
from dataclasses import replace

from graph.settings import Settings
from tools.claims import claim_detectors
from tools.copy_blocks import CopyBlocks, load_copy_blocks
from tools.email.message_checks import DETECTORS as MESSAGE_DETECTORS
from tools.grounding import grounding_checks, grounding_detectors
from tools.hygiene import DETECTORS as HYGIENE_DETECTORS
from tools.merchants import Catalogue, load_catalogue
from tools.policies.evaluation import Attestation
from tools.policies.gate import Gate
from tools.policies.load import load_policies
from tools.policies.policy_set import Policy, PolicySet
from tools.subject import Detector


def load_gate(settings: Settings) -> Gate:
    """Read policies, merchants and approved blocks, and return the gate over them. Contacts nothing.

    Raises PolicyInvalid, with file and line, for what can't be enforced as written.
    """
    catalogue = load_catalogue(settings.policies_dir / "merchants.yaml")
    return gate_of(settings, catalogue, load_copy_blocks(settings.policies_dir / "copy"))


def gate_of(settings: Settings, catalogue: Catalogue, blocks: CopyBlocks) -> Gate:
    """Read the policies and return the gate over them. Raises PolicyInvalid."""
    detectors = detectors_of(settings, catalogue)
    return Gate(
        policies=load_policies(settings.policies_dir, detectors=detectors),
        detectors=detectors,
        attestations={
            name: Attestation(by=given.by, until=given.until) for name, given in settings.effective_attestations.items()
        },
        merchant_names=catalogue.names(),
        blocks=blocks.covers,
    )


def gate_with(gate: Gate, stored: Sequence[Policy], blocks: CopyBlocks) -> Gate:
    """Return the gate over its policies and those of the ledger, with the blocks as they are approved now."""
    policies = PolicySet.of((*gate.policies.policies, *stored))
    return replace(gate, policies=policies, blocks=blocks.covers)


def detectors_of(settings: Settings, catalogue: Catalogue) -> dict[str, Detector]:
    """Return every detector a clause may name, by name."""
    aliases = {partner.name: partner.aliases for partner in catalogue.partners.values()}
    checks = grounding_checks(merchant_names=aliases, issuer=settings.brand_issuer)
    regions = {
        partner.name: frozenset(partner.regions)
        for partner in catalogue.partners.values()
        if not isinstance(partner.regions, str)
    }
    detectors = (
        *grounding_detectors(checks),
        *claim_detectors(checks, regions=regions),
        *HYGIENE_DETECTORS,
        *MESSAGE_DETECTORS,
    )
    return {detector.name: detector for detector in detectors}
