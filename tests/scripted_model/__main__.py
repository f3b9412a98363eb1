"""Serve a scripted model for benchmarks: `python -m tests.scripted_model --port 8099 --latency 0.2 --seed 1`."""

import argparse
import asyncio
import signal

from tests.scripted_model.server import ScriptedModel


def main() -> None:
    """Serve default replies until interrupted; then print how many requests came, and how many at once."""
    parser = argparse.ArgumentParser(prog="python -m tests.scripted_model", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="delay of each reply")
    parser.add_argument("--seed", type=int, default=0, help="changes what the replies choose")
    parser.add_argument("--text", default="text", help="content of free strings")
    chosen = parser.parse_args()
    model = ScriptedModel(port=chosen.port, latency=chosen.latency, seed=chosen.seed, text=chosen.text, record=False)
    try:
        asyncio.run(_serve(model))
    except OSError as error:
        parser.error(f"port {chosen.port} can't be served: {error}")
    print(f"{model.count} requests, at most {model.max_in_flight} at once", flush=True)


async def _serve(model: ScriptedModel) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, model.stop)
    announced = asyncio.create_task(_announce(model))
    await model.serve()
    announced.cancel()


async def _announce(model: ScriptedModel) -> None:
    await asyncio.to_thread(model.wait_ready)
    print(f"serving {model.base_url}", flush=True)


if __name__ == "__main__":
    main()
