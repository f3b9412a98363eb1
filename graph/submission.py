"""What somebody sends in as a policy: a whole policy file, or the free text that existing callers send."""

from collections.abc import Mapping
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from graph.schemas import Storable
from tools.policies.prose_only import prose_policy
from tools.policies.source import is_policy_file
from tools.vocabulary import DOMAINS

_LONGEST = 100_000
_LONGEST_NAME = 200


class FreeText(BaseModel):
    """Policy text without front matter: prose that only a judge, or approved copy, can answer for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy_id: str = Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{1,63}$")
    content: Storable = Field(min_length=1, max_length=_LONGEST)
    policy_type: str = Field(pattern=r"^[a-z][a-z_]{1,39}$")
    domain: str = Field(default="all", pattern=f"^(all|{'|'.join(DOMAINS)})$")

    def as_policy(self, *, version: str, sent_by: str, sent_on: date) -> str:
        """Return the policy file the text stands for."""
        return prose_policy(
            self.content,
            policy_id=self.policy_id,
            version=version,
            policy_type=self.policy_type,
            domain=self.domain,
            sent_by=sent_by,
            sent_on=sent_on,
        )


class PolicyFile(BaseModel):
    """A whole policy file. What its front matter says too is optional here, and must agree."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: Storable = Field(max_length=_LONGEST)
    policy_id: Storable | None = Field(default=None, max_length=_LONGEST_NAME)
    policy_type: Storable | None = Field(default=None, max_length=_LONGEST_NAME)
    domain: Storable | None = Field(default=None, max_length=_LONGEST_NAME)


def read_submission(fields: Mapping[str, object]) -> FreeText | PolicyFile:
    """Return what was sent in. Raises ValidationError naming each field that is missing or invalid."""
    content = fields.get("content")
    whole = isinstance(content, str) and is_policy_file(content)
    return PolicyFile.model_validate(fields) if whole else FreeText.model_validate(fields)
