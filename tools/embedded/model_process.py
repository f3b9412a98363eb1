"""The chat model server's process: `python -m tools.embedded.model_process GGUF PORT`; 0 is any free port."""

import os
import signal
import sys

import xllamacpp  # type: ignore[import-untyped]

from tools.embedded.model_file import CONTEXT_TOKENS, MODEL_NAME, SLOTS

PROMPT_CACHE_MIB = 64
ERRORS_ONLY = 1


def main() -> None:
    """Load the model, print the address on standard output, serve until killed."""
    server = xllamacpp.Server(_parameters(sys.argv[1], int(sys.argv[2])))
    print(server.listening_address, flush=True)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # the supervisor has closed its end
    while True:
        signal.pause()


def _parameters(gguf: str, port: int) -> xllamacpp.CommonParams:
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    # Its threads spin at barriers: once another process takes one of their cores, all wait, and calls take several
    # times longer. The caller and PostgreSQL do run beside it, so one core is left to them.
    threads = max(1, cores - 1)
    parameters = xllamacpp.CommonParams()
    parameters.model.path = gguf
    parameters.model_alias = {MODEL_NAME}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_parallel = SLOTS
    parameters.n_ctx = SLOTS * CONTEXT_TOKENS  # the server divides it among the slots
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.cache_ram_mib = PROMPT_CACHE_MIB
    parameters.cors_origins = ""  # no web page may read from it
    parameters.ui = False
    parameters.endpoint_slots = False
    parameters.verbosity = ERRORS_ONLY
    return parameters


if __name__ == "__main__":
    main()
