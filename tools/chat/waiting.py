"""When a failed model call is worth another try, and how long to wait before it."""

import random
import time
from email.utils import parsedate_to_datetime
from typing import Final

import openai

BASE_WAIT_S: Final = 0.25
MAX_WAIT_S: Final = 20.0
PASSING: Final = frozenset({408, 409, 425, 429})
SPENT: Final = "insufficient_quota"
"""Code of a 429 that says the account has no credit left (OpenAI's error codes): no wait helps."""


def is_passing(error: BaseException) -> bool:
    """Return whether the same call may succeed later: no connection, a time-out, too many requests, a server error."""
    if isinstance(error, openai.APIStatusError):
        return (error.status_code in PASSING or error.status_code >= 500) and error.code != SPENT
    return isinstance(error, openai.APIConnectionError)


def is_throttled(error: BaseException | None) -> bool:
    """Return whether the endpoint is well and asks for fewer calls (429, RFC 6585)."""
    return isinstance(error, openai.RateLimitError) and error.code != SPENT


def retry_wait(error: BaseException | None, attempt: int) -> float:
    """Return seconds to wait: what `Retry-After` asks and a little jitter, else full jitter over an exponential bound.

    The jitter after a 429 grows by the try and no faster: who sends fewer calls at once (`traffic`) need not stay away.
    """
    asked = asked_wait(error)
    if asked is not None or is_throttled(error):
        return (asked or 0.0) + random.uniform(0, min(MAX_WAIT_S, BASE_WAIT_S * (attempt - (asked is not None))))
    return random.uniform(0, min(MAX_WAIT_S, BASE_WAIT_S * 2 ** min(attempt, 16)))


def asked_wait(error: BaseException | None) -> float | None:
    """Return the seconds of RFC 9110 `Retry-After` (seconds or a date) or the common `retry-after-ms`, if it came."""
    if not isinstance(error, openai.APIStatusError):
        return None
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
