"""Small form posts from strangers: read with a limit on size and time, whoever sends them."""

import asyncio
from collections.abc import Mapping
from email.message import Message
from email.parser import BytesParser
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

MAX_BYTES: Final = 4_096
"""A one-click post takes under 300 bytes, our largest form under 500."""
MAX_FIELDS: Final = 40
PATIENCE_S: Final = 10.0
"""How long a body may take to arrive."""

URLENCODED: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"

Form = Mapping[str, tuple[str, ...]]
"""Values by field, in the order they were sent."""


class FormRefused(Exception):
    """A body that is not read. `status` is the HTTP status to answer with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def read_form(request: Request) -> Form:
    """Return the fields of a form post, urlencoded or multipart (RFC 8058 allows both).

    Raises FormRefused: 415 for another content type, 413 over MAX_BYTES, 408 after PATIENCE_S, 400 for what is no form.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in (URLENCODED, MULTIPART):
        raise FormRefused(415, f"the content type must be {URLENCODED} or {MULTIPART}")
    body = await _body(request)
    try:
        return _urlencoded(body) if kind == URLENCODED else _multipart(content_type, body)
    except ValueError as error:
        raise FormRefused(400, "the body is no form") from error


async def _body(request: Request) -> bytes:
    """Return the body; what is too much is never read to its end."""
    announced = request.headers.get("content-length", "")
    body = bytearray()
    try:
        if not announced or (announced.isdecimal() and len(announced) < 6 and int(announced) <= MAX_BYTES):
            async with asyncio.timeout(PATIENCE_S):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        break
                else:
                    return bytes(body)
    except TimeoutError as error:
        raise FormRefused(408, f"the body took over {PATIENCE_S:g} seconds") from error
    except ClientDisconnect as error:
        raise FormRefused(400, "the sender went away") from error
    raise FormRefused(413, f"the body is over {MAX_BYTES} bytes")


def _urlencoded(body: bytes) -> Form:
    fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    return {name: tuple(values) for name, values in fields.items()}


def _multipart(content_type: str, body: bytes) -> Form:
    head = b"Content-Type: " + content_type.encode("latin-1") + b"\r\n\r\n"
    # The plain policy: the others parse headers into trees, as deep and as brittle as a stranger likes.
    parsed = BytesParser().parsebytes(head + body)
    parts = parsed.get_payload()
    if not isinstance(parts, list) or parsed.defects or len(parts) > MAX_FIELDS:
        raise ValueError("no parts")
    fields: dict[str, tuple[str, ...]] = {}
    for part in parts:
        if not isinstance(part, Message):
            raise ValueError("no part")
        name, value = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(value, bytes):
            raise ValueError("a part has no name")
        fields[name] = (*fields.get(name, ()), value.decode())
    return fields
