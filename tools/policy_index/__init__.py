"""The policies' prose, searchable by meaning. The index repairs itself and feeds prompts only."""

from tools.policy_index.documents import IndexStatus, PolicyChunk, PolicyDocument, SyncReport
from tools.policy_index.index import PolicyIndex

__all__ = ["IndexStatus", "PolicyChunk", "PolicyDocument", "PolicyIndex", "SyncReport"]
