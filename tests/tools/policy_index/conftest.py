"""One embedding cache for all tests, so that the model loads once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tools.policy_index import PolicyIndex


@pytest.fixture(scope="session")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture
async def index(tmp_path: Path, vectors: Path) -> AsyncIterator[PolicyIndex]:
    made = PolicyIndex(chroma_dir=tmp_path / "chroma", cache_dir=vectors)
    yield made
    await made.aclose()
