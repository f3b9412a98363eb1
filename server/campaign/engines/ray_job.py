"""A campaign's job on Ray: `python -m server.campaign.engines.ray_job NAME`, started by the engine.

It is a process of its own, since Ray takes over signals and output of the one it is used in, and a job can be given up
at any moment by ending its process: Ray ends the actors then. The first line of its standard input says what to do; it
ends when that input is closed. It prints a line for each actor that has ended.
"""

import json
import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

LOCAL: Final = "local"
"""Address that starts a cluster on this machine, for this job alone."""
LOOPBACK: Final = "127.0.0.1"
CONNECT_S: Final = 120
"""How long a cluster may take to be reached, or started."""
OBJECT_STORE_BYTES: Final = 128 * 1024 * 1024
"""Object store of a cluster on this machine: what passes between actors are a few words."""


def main(name: str) -> None:
    """Map actors over tokens, one for each worker, and print what each said."""
    given = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    import ray
    import ray.data

    from server.campaign.engines.ray_actor import WorkerActor

    with _impatient(given["address"]):
        ray.init(logging_level=logging.WARNING, log_to_driver=False, **_cluster(given["address"], given["workers"]))
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    workers = given["workers"] or max(1, int(ray.cluster_resources().get("CPU", 1)))
    told = ray.data.from_items([{"item": n} for n in range(workers)], override_num_blocks=workers).map_batches(
        WorkerActor,
        fn_constructor_args=(name, given["settings"]),
        batch_size=1,
        # A second token waiting for an actor at work would leave another actor without any.
        compute=ray.data.ActorPoolStrategy(size=workers, max_tasks_in_flight_per_actor=1),
        num_cpus=1,
    )  # an actor that dies is started again, on another node if need be, and its token given to it again
    for row in told.iter_rows():
        print(json.dumps(row), flush=True)


def _cluster(address: str, workers: int | None) -> dict[str, Any]:
    if address != LOCAL:
        return {"address": address}
    return {
        "address": LOCAL,
        "num_cpus": workers or os.cpu_count(),
        "object_store_memory": OBJECT_STORE_BYTES,
        "include_dashboard": False,
        "_node_ip_address": LOOPBACK,
    }


@contextmanager
def _impatient(address: str) -> Iterator[None]:
    """End the process when the block takes too long: Ray waits for a cluster that isn't there without a word."""

    def end() -> None:
        print(f"no Ray cluster answered at {address} within {CONNECT_S} s", file=sys.stderr, flush=True)
        os._exit(1)

    timer = threading.Timer(CONNECT_S, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _end_with_input() -> None:
    while sys.stdin.read(1024):
        continue
    os._exit(1)  # whoever started it is gone; Ray would wait for actors that are at work


if __name__ == "__main__":
    main(sys.argv[1])
