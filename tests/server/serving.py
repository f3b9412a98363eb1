"""A server for tests: the real application behind uvicorn on a free loopback port, in a thread of its own."""

import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx2
import uvicorn

from graph.settings import Settings
from server.app import create_app
from server.pipeline import Pipeline

PATIENCE_S = 30.0


class Serving:
    """Serves while the context lasts. `pipeline` belongs to the server's loop: look, don't call."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        app = create_app(settings)
        self.pipeline: Pipeline = app.state.pipeline
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def __enter__(self) -> Self:
        """Start, and return once requests are answered; raise if the application didn't start."""
        self._thread.start()
        wait_for(lambda: self._server.started or not self._thread.is_alive())
        assert self._server.started, "the application did not start; its reason stands above"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop as SIGTERM would."""
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self._socket.close()
        assert not self._thread.is_alive(), "the server did not stop"

    def client(self) -> httpx2.Client:
        """Return a new client of the server."""
        return httpx2.Client(base_url=self.url, timeout=PATIENCE_S, trust_env=False)

    def until_health(self, status: str) -> dict[str, Any]:
        """Wait until /health says `status`, and return its answer."""
        answer: dict[str, Any] = {}

        def says_so() -> bool:
            answer.update(client.get("/health").json())
            return answer["status"] == status

        with self.client() as client:
            wait_for(says_so, every_s=0.05, seen=lambda: answer)
        return answer


def wait_for(met: Callable[[], bool], *, every_s: float = 0.005, seen: Callable[[], object] = lambda: "") -> None:
    """Return once the condition is met; fail, with what was seen, after half a minute."""
    deadline = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S:.0f} s; last seen: {seen()}"
        time.sleep(every_s)
