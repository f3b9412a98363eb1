"""Serve a scripted model for benchmarks and tutorials: `python -m tests.scripted_model --port 8099 --latency 0.2`.

With `--pass-rate draft=0.7,draft@b=0.85` it writes: first drafts conform with these chances, by version of the prompt.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from tests.scripted_model.server import ScriptedModel
from tests.scripted_model.writing import Writer, rates_of


def main() -> None:
    """Serve default replies until interrupted; then print how many requests came, and how many at once."""
    parser = argparse.ArgumentParser(prog="python -m tests.scripted_model", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="delay of each reply")
    parser.add_argument("--seed", type=int, default=0, help="changes what the replies choose")
    parser.add_argument("--text", default="text", help="content of free strings")
    parser.add_argument(
        "--pass-rate", type=rates_of, metavar="RATES", help="chance that a first draft conforms: draft=0.7,draft@b=0.85"
    )
    parser.add_argument("--mending", type=float, default=1.0, metavar="RATE", help="chance that a re-draft conforms")
    parser.add_argument("--prompts", type=Path, default=Path("prompts"), help="folder of the versions to tell apart")
    chosen = parser.parse_args()
    model = ScriptedModel(port=chosen.port, latency=chosen.latency, seed=chosen.seed, text=chosen.text, record=False)
    if chosen.pass_rate is not None:
        model.reply("draft_compose", Writer(chosen.prompts, chosen.pass_rate, mending=chosen.mending, seed=chosen.seed))
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
