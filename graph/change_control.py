"""Change control of policies: one person proposes a version, another puts it in force. HTTP and CLI both go here."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from graph.policy_texts import domains_of, policy_text
from graph.rulebook import Rulebook, rulebook_with
from graph.submission import FreeText, PolicyFile, read_submission
from tools.copy_approvals import Approval
from tools.copy_blocks import Block
from tools.copy_cover import unapproved_by
from tools.database import Database
from tools.errors import InputInvalid, PoliciesUnavailable
from tools.ledger import policy_changes
from tools.ledger.policy_changes import Activation, ChangeRefused
from tools.ledger.versions import VersionRow, Versions, read_standing
from tools.policies.load import parse_policy
from tools.policies.policy_set import Policy
from tools.policies.source import parse_source
from tools.policies.stored import StoredVersion, compile_version

ANONYMOUS: Final = "anonymous HTTP caller"
"""The proposer of what is sent in over HTTP while no principals are configured."""
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Proposed:
    """A draft as it was kept; `is_new` is false when the very same one waited already."""

    policy: Policy
    is_new: bool


@dataclass(frozen=True, slots=True)
class Approved:
    """A version in force since `epoch`; `policy_set_sha` is that of the set it makes with this process's files."""

    version: StoredVersion
    by: str
    epoch: int
    policy_set_sha: str
    copy_approved: int


@dataclass(frozen=True, slots=True)
class CopyToReview:
    """What has to be read before a draft can come into force: blocks its judge clauses would leave without approval."""

    version: StoredVersion
    questions: Mapping[str, str]
    blocks: tuple[Block, ...]
    unapproved: Mapping[str, tuple[str, ...]]

    @property
    def listing(self) -> str:
        """What names this very list: whoever approves the copy says with it which one was read."""
        texts = "\0".join(f"{block.id} {block.text_sha}" for block in self.blocks)
        return sha256("\0".join((self.version.sha, repr(sorted(self.unapproved.items())), texts)).encode()).hexdigest()


class PolicyDesk:
    """Takes proposals and acts of approval. `files` is the rulebook of the policies folder alone."""

    def __init__(self, database: Database, files: Rulebook) -> None:
        self._database, self._files, self._versions = database, files, Versions(database)

    async def propose(self, fields: Mapping[str, object], *, by: str) -> Proposed:
        """Keep a policy as a draft: validated, compiled, its examples run. It is not enforced, retrieved or hashed.

        Raises ValidationError or PolicyInvalid for what can't be enforced as written, ChangeRefused for an id or a
        version that is taken, DatabaseUnavailable.
        """
        given = read_submission(fields)
        if isinstance(given, FreeText):
            self._refuse_filed(given.policy_id)
            text = await self._text_of(given, by)
        else:
            text = given.content
        name = f"{fields.get('policy_id') or 'policy'}.md"
        policy = await asyncio.to_thread(parse_policy, text, name=name, detectors=self._files.gate.detectors)
        if isinstance(given, PolicyFile):
            _refuse_disagreement(given, policy)
        self._refuse_filed(policy.id)
        is_new = await policy_changes.keep_draft(self._database, policy_text(policy)._replace(by=by))
        return Proposed(policy, is_new)

    async def approve(
        self, policy_id: str, *, by: str, sha: str | None = None, copy_reviewed: str | None = None
    ) -> Approved | CopyToReview:
        """Put a policy's draft in force, or say which copy has to be read first.

        `sha` names the draft that was read; another one is not approved unseen. `copy_reviewed` is the `listing` that
        was read: its blocks are approved, under this name, for the draft's judge clauses. No other blocks are.
        Raises ChangeRefused, PolicyInvalid when the set would not hold with it, DatabaseUnavailable.
        """
        for _ in range(_TRIES):
            async with self._database.connection() as connection:
                standing = await read_standing(connection)
            version = await self._draft(policy_id, sha)
            if await policy_changes.was_proposed_by(self._database, version.policy_id, version.sha, by):
                raise policy_changes.own_proposal(version.policy_id, by)
            policy = await asyncio.to_thread(compile_version, version, self._files.gate.detectors)
            unapproved = unapproved_by((policy,), self._files.blocks)
            if unapproved and (waiting := self._to_review(version, policy, unapproved)).listing != copy_reviewed:
                return waiting
            approvals = self._approvals(unapproved, by)
            planned = standing.with_version(version, approvals)
            rulebook = await asyncio.to_thread(rulebook_with, self._files, planned)
            activation = Activation(version.policy_id, version.version, version.sha, by, standing.epoch, approvals)
            epoch = await policy_changes.activate(self._database, activation)
            if epoch is not None:
                blocks = {block for ids in unapproved.values() for block in ids}
                return Approved(version, by, epoch, rulebook.policies.sha, len(blocks))
        raise PoliciesUnavailable("the policies kept changing while this one was checked; approve it again")

    async def retire(self, policy_id: str, *, by: str, draft: bool = False) -> tuple[str, str, int]:
        """Take a version out of force, or withdraw a draft; return version, sha and epoch. Raises as `retire` does."""
        return await policy_changes.retire(self._database, policy_id, by, draft=draft)

    async def _text_of(self, given: FreeText, by: str) -> str:
        """Return the policy file of free text; the same text as a waiting draft's is that draft."""
        for row in await self._versions.of(given.policy_id):
            told = (row.type, row.domain) == (given.policy_type, given.domain)
            if row.state == "draft" and told and row.note and _prose(row) == given.content.strip():
                return row.content
        version = await policy_changes.next_version(self._database, given.policy_id)
        return given.as_policy(version=version, sent_by=by, sent_on=datetime.now(UTC).date())

    async def _draft(self, policy_id: str, sha: str | None) -> StoredVersion:
        rows = await self._versions.of(policy_id)
        if self._files.policies.get(policy_id) is None and not rows:
            raise ChangeRefused("unknown", f"policy_id is {policy_id!r}: there is no such policy; see /policies")
        row = next((row for row in rows if row.state == "draft"), None)
        if row is None:
            raise ChangeRefused("nothing_to_approve", f"policy_id is {policy_id!r}: no draft of it waits for approval")
        self._refuse_filed(row.policy_id)
        if sha is not None and not (len(sha) >= 8 and row.sha.startswith(sha.lower())):
            changed = f"sha is {sha!r}: the draft that waits is {row.version} {row.sha}; read that one first"
            raise ChangeRefused("nothing_to_approve", changed)
        return StoredVersion(row.policy_id, row.version, row.sha, row.content)

    def _refuse_filed(self, policy_id: str) -> None:
        for policy in self._files.policies.policies:
            if policy.id.casefold() == policy_id.casefold():
                raise ChangeRefused(
                    "taken", f"policy_id is {policy_id!r}: a file of policies/ has it; choose another, or edit the file"
                )

    def _to_review(
        self, version: StoredVersion, policy: Policy, unapproved: Mapping[str, tuple[str, ...]]
    ) -> CopyToReview:
        ids = dict.fromkeys(block_id for blocks in unapproved.values() for block_id in blocks)
        found = tuple(block for block_id in ids if (block := self._files.blocks.get(block_id)) is not None)
        questions = {
            active.approval: active.clause.question
            for active in policy.clauses
            if active.clause.kind == "judge" and active.approval in unapproved
        }
        return CopyToReview(version, questions, found, unapproved)

    def _approvals(self, unapproved: Mapping[str, tuple[str, ...]], by: str) -> tuple[Approval, ...]:
        today = datetime.now(UTC).date()
        standing = {block.id: block.text_sha for block in self._files.blocks.blocks}
        return tuple(
            Approval(approved_by=by, approved_at=today, covers=(ref,), blocks={name: standing[name] for name in blocks})
            for ref, blocks in unapproved.items()
        )


def _prose(row: VersionRow) -> str:
    return parse_source(row.content, Path(row.policy_id)).prose


def _refuse_disagreement(given: PolicyFile, policy: Policy) -> None:
    said = {"policy_id": policy.id, "policy_type": policy.type, "domain": domains_of(policy)}
    for name, value in said.items():
        other = getattr(given, name)
        if other is not None and other != value:
            raise InputInvalid(f"{name} is {other!r}, but the front matter says {value!r}; leave {name} out, or agree")
