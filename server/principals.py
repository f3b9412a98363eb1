"""Who calls: the people of API_PRINCIPALS, known by their bearer token."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from fastapi import HTTPException

from graph.settings import Principal

COMPLIANCE: Final = "compliance"
"""The role that puts policies in force."""
CAMPAIGNS: Final = "campaigns"
"""The role that creates, plans, runs, pauses and cancels campaigns."""
_SCHEME: Final = "bearer "
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="OfferGraph"'}


def caller_of(authorization: str | None, principals: Sequence[Principal]) -> Principal:
    """Return the principal whose token the header carries. Raises HTTPException 401 when there is none.

    Every principal's hash is compared, each in constant time: how long the answer takes tells nothing of the tokens.
    """
    if authorization is None or authorization[: len(_SCHEME)].lower() != _SCHEME:
        raise HTTPException(401, "send your token as `Authorization: Bearer TOKEN`", headers=_CHALLENGE)
    token = authorization[len(_SCHEME) :].strip()
    sent = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    found = [principal for principal in principals if hmac.compare_digest(principal.token_sha256, sent)]
    if not found:
        raise HTTPException(401, "the token is not one of API_PRINCIPALS", headers=_CHALLENGE)
    return found[0]
