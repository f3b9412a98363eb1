"""The embedded chat model server: OpenAI-compatible, on loopback, one per data folder."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from tools.embedded.folder import Part, PartFolder
from tools.embedded.model_file import CONTEXT_TOKENS, MODEL_NAME, smollm2_path
from tools.embedded.parts import join
from tools.errors import PartMissing

HEALTH_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class ModelEndpoint:
    """Where the chat model answers; a request's prompt and reply together fit into `context_tokens`."""

    base_url: str
    model: str
    context_tokens: int


async def ensure_model_server(data_dir: Path) -> ModelEndpoint:
    """Return this data folder's running chat model server; starts it when needed.

    The calling process counts as a user until it ends; the server stops a few seconds after its last user.
    Raises PartMissing without xllamacpp or the model's file, ModelUnavailable when the server can't start,
    SettingInvalid when the folder can't be written.
    """
    return await asyncio.to_thread(_ensure, data_dir)


def _ensure(data_dir: Path) -> ModelEndpoint:
    if find_spec("xllamacpp") is None:
        raise PartMissing("package xllamacpp is not installed: run `make install`, or set LLM_BASE_URL")
    smollm2_path()  # here, so that a missing file is named at once and not in the server's log
    address = join(PartFolder(data_dir, Part.MODEL_SERVER), _answers)
    return ModelEndpoint(base_url=f"{address}/v1", model=MODEL_NAME, context_tokens=CONTEXT_TOKENS)


def _answers(address: str) -> bool:
    url = urlsplit(address)
    # Not urllib's openers: they would ask a configured proxy for a loopback address.
    connection = HTTPConnection(url.hostname or "", url.port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
