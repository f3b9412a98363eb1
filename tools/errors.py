"""Errors that OfferGraph raises on purpose.

OfferGraphError                 every error below; has a stable `code`
├── RetryableError              the same call may succeed later
│   ├── DatabaseUnavailable     code database_unavailable
│   ├── ModelUnavailable        code model_unavailable
│   ├── IndexUnavailable        code index_unavailable
│   └── PoliciesUnavailable     code policies_unavailable
└── TerminalError               the same call fails again
    ├── SettingInvalid          code setting_invalid
    ├── InputInvalid            code invalid_input
    ├── PolicyInvalid           code policy_invalid
    ├── PromptInvalid           code prompt_invalid
    ├── ModelReplyInvalid       code model_reply_invalid
    ├── TemplateFault           code template_fault
    └── PartMissing             code part_missing
"""

from pathlib import Path
from typing import ClassVar


class OfferGraphError(Exception):
    """Base of every error OfferGraph raises on purpose."""

    code: ClassVar[str] = "internal"


class RetryableError(OfferGraphError):
    """The same call may succeed later."""


class TerminalError(OfferGraphError):
    """The same call will fail again until its input or configuration changes."""


class DatabaseUnavailable(RetryableError):
    """PostgreSQL can't be reached or broke off."""

    code = "database_unavailable"


class ModelUnavailable(RetryableError):
    """The chat model gave no answer within its tries and its deadline."""

    code = "model_unavailable"
    call: object = None
    """The account of the failed call (`tools.chat.calls.ModelCall`), for the decision record."""


class IndexUnavailable(RetryableError):
    """The policy index can't be read."""

    code = "index_unavailable"


class PoliciesUnavailable(RetryableError):
    """This process doesn't hold the policies in force, or one of them can't be enforced: nothing is decided."""

    code = "policies_unavailable"


class SettingInvalid(TerminalError):
    """A setting has a value outside what is allowed."""

    code = "setting_invalid"


class InputInvalid(TerminalError):
    """A request, row or file breaks its schema."""

    code = "invalid_input"


class PolicyInvalid(TerminalError):
    """A policy, ladder, merchant or copy file can't be enforced as written."""

    code = "policy_invalid"

    def __init__(self, path: Path, line: int, reason: str, column: int = 1) -> None:
        super().__init__(f"{path}:{line}:{column}: {reason}")
        self.path, self.line, self.reason, self.column = path, line, reason, column


class PromptInvalid(TerminalError):
    """A prompt file misses a variable, names an unknown one or doesn't parse."""

    code = "prompt_invalid"

    def __init__(self, path: Path, line: int, reason: str) -> None:
        super().__init__(f"{path}:{line}: {reason}")
        self.path, self.line, self.reason = path, line, reason


class ModelReplyInvalid(TerminalError):
    """The chat model answered, but not in the asked form, repair included."""

    code = "model_reply_invalid"
    call: object = None
    """The account of the failed call (`tools.chat.calls.ModelCall`), for the decision record."""


class TemplateFault(TerminalError):
    """An email can't be built or breaks a message-stage clause."""

    code = "template_fault"


class PartMissing(TerminalError):
    """An embedded part's file or package is not installed."""

    code = "part_missing"
