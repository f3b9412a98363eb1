import math
from pathlib import Path

import pytest

from tools.errors import IndexUnavailable
from tools.policy_index.embeddings import CachedEmbeddings


def test_vectors_are_unit_length_and_equal_from_model_and_cache(vectors: Path) -> None:
    first = CachedEmbeddings("all-MiniLM-L6-v2", cache_dir=vectors).embed_query("restaurants")
    again = CachedEmbeddings("sentence-transformers/all-MiniLM-L6-v2", cache_dir=vectors).embed_query("restaurants")
    assert len(first) == 384
    assert math.isclose(math.hypot(*first), 1, abs_tol=1e-5)
    assert again == first


def test_a_damaged_cache_is_made_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "embeddings.sqlite3"
    file.write_bytes(b"not a database" * 500)
    embeddings = CachedEmbeddings("all-MiniLM-L6-v2", cache_dir=tmp_path)
    vector = embeddings.embed_query("restaurants")
    assert "damaged" in caplog.text
    assert CachedEmbeddings("all-MiniLM-L6-v2", cache_dir=tmp_path).embed_query("restaurants") == vector
    assert file.read_bytes().startswith(b"SQLite format 3")


def test_a_cache_that_cant_be_written_costs_time_only(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    embeddings = CachedEmbeddings("all-MiniLM-L6-v2", cache_dir=tmp_path / "file" / "cache")
    assert len(embeddings.embed_query("restaurants")) == 384
    assert "going on without it" in caplog.text


def test_a_folder_without_a_model_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(IndexUnavailable, match=f"EMBEDDING_MODEL '{tmp_path}'"):
        CachedEmbeddings(str(tmp_path), cache_dir=tmp_path / "cache").embed_query("restaurants")


def test_changed_model_files_change_the_identity(tmp_path: Path) -> None:
    embeddings = CachedEmbeddings(str(tmp_path), cache_dir=tmp_path.parent / "cache")
    (tmp_path / "model.safetensors").write_bytes(b"one")
    before = embeddings.identity()
    (tmp_path / "model.safetensors").write_bytes(b"other")
    assert embeddings.identity() != before
