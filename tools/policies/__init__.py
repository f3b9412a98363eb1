"""Policies as code: files in, one frozen set out, and the gate that holds every offer to it."""

from tools.policies.evaluation import NOT_ASKED, Attestation, Judge, JudgeFinding, NoFinding, Silent
from tools.policies.gate import Gate, covers
from tools.policies.load import lint, load_policies
from tools.policies.policy_set import Policy, PolicySet

__all__ = [
    "NOT_ASKED",
    "Attestation",
    "Gate",
    "Judge",
    "JudgeFinding",
    "NoFinding",
    "Policy",
    "PolicySet",
    "Silent",
    "covers",
    "lint",
    "load_policies",
]
