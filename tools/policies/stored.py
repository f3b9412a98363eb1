"""Policies the ledger holds: approved versions that stand beside the files, and the copy approved for them."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from tools.copy_approvals import Approval
from tools.policies.load import parse_policy
from tools.policies.policy_set import Policy, PolicySet
from tools.subject import Detector

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version of a policy as it was sent in. `sha` names it for good, whatever later code makes of the text."""

    policy_id: str
    version: str
    sha: str
    content: str

    @property
    def place(self) -> str:
        """How faults of the text name it."""
        return f"database/{self.policy_id}@{self.version}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger holds in force at one epoch. Approvals go by the hash of the policy they were given for."""

    epoch: int = 0
    active: tuple[StoredVersion, ...] = ()
    approvals: tuple[tuple[str, Approval], ...] = ()

    def with_version(self, version: StoredVersion, approvals: Iterable[Approval] = ()) -> "Standing":
        """Return what would stand once this version came into force, in place of an older one."""
        others = tuple(old for old in self.active if old.policy_id != version.policy_id)
        given = tuple((version.sha, approval) for approval in approvals)
        return replace(self, active=(*others, version), approvals=(*self.approvals, *given))

    def approvals_of(self, shas: Collection[str]) -> tuple[Approval, ...]:
        """Return the approvals given for these very policies."""
        return tuple(approval for sha, approval in self.approvals if sha in shas)


def compile_version(version: StoredVersion, detectors: Mapping[str, Detector]) -> Policy:
    """Compile one version under the code that runs. Raises PolicyInvalid naming it."""
    return replace(parse_policy(version.content, name=version.place, detectors=detectors), sha=version.sha)


def compile_standing(
    standing: Standing, *, files: PolicySet, detectors: Mapping[str, Detector]
) -> tuple[tuple[Policy, ...], tuple[Approval, ...]]:
    """Return the policies in force that no file holds, and the approvals given for them.

    A file of the same id wins, whatever its status; a warning names both.
    Raises PolicyInvalid for a version that can't be enforced as it stands: it is never left out.
    """
    held = {policy.id.casefold(): policy for policy in files.policies}
    compiled = []
    for version in standing.active:
        if (file := held.get(version.policy_id.casefold())) is not None:
            warning = "policy %s: the file %s (version %s) wins over %s, which is not enforced; retire the latter"
            _log.warning(warning, file.id, file.path, file.version, version.place)
            continue
        compiled.append(compile_version(version, detectors))
    return tuple(compiled), standing.approvals_of({policy.sha for policy in compiled})
