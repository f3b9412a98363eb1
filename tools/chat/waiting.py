"""When a failed model call is worth another try, and how long to wait before it."""

import random
import time
from email.utils import parsedate_to_datetime
from typing import Final

import openai

BASE_WAIT_S: Final = 0.25
MAX_WAIT_S: Final = 20.0
PASSING: Final = frozenset({408, 409, 425, 429})


def is_passing(error: BaseException) -> bool:
    """Return whether the same call may succeed later: no connection, a time-out, too many requests, a server error."""
    if isinstance(error, openai.APIStatusError):
        return error.status_code in PASSING or error.status_code >= 500
    return isinstance(error, openai.APIConnectionError)


def retry_wait(error: BaseException | None, attempt: int) -> float:
    """Return seconds to wait: the server's `Retry-After` if it sent one, else full jitter over an exponential bound."""
    if isinstance(error, openai.APIStatusError):
        asked = _retry_after(error)
        if asked is not None:
            return asked
    return random.uniform(0, min(MAX_WAIT_S, BASE_WAIT_S * 2**attempt))


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Read RFC 9110 `Retry-After` (seconds or a date) or the common `retry-after-ms`."""
    headers = error.response.headers
    millis, value = headers.get("retry-after-ms"), headers.get("retry-after")
    if millis is not None and (seconds := _float(millis)) is not None:
        return max(0.0, seconds / 1000)
    if value is None:
        return None
    if (seconds := _float(value)) is not None:
        return max(0.0, seconds)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _float(value: str) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None
