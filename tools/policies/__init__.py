"""Policies as code: files in, one frozen set out, and the gate that holds every offer to it."""

from tools.policies.evaluation import Attestation, Judge, JudgeFinding
from tools.policies.gate import Gate, covers
from tools.policies.load import lint, load_policies
from tools.policies.policy_set import Policy, PolicySet

__all__ = ["Attestation", "Gate", "Judge", "JudgeFinding", "Policy", "PolicySet", "covers", "lint", "load_policies"]
