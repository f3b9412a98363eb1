"""The rulebook is read once while its files stay as they are, and never kept past a change of them."""

import shutil
from pathlib import Path

import pytest

from graph.rulebook import load_rulebook
from graph.settings import Settings, load_settings
from tools.errors import PolicyInvalid
from tools.subject import Scope

POLICIES = Path(__file__).parents[2] / "policies"


@pytest.fixture
def alone(tmp_path: Path) -> Settings:
    """Settings with a policies folder that a test may change."""
    shutil.copytree(POLICIES, tmp_path / "policies")
    return load_settings(_env_file=None, policies_dir=tmp_path / "policies")


def test_files_that_stayed_as_they_were_are_not_read_into_another_rulebook(alone: Settings) -> None:
    assert load_rulebook(alone) is load_rulebook(alone)


@pytest.mark.parametrize("name", ["dining_offer_policy.md", "merchants.yaml", "ladders.yaml", "copy/any_offer.yaml"])
def test_a_changed_file_makes_another_rulebook(alone: Settings, name: str) -> None:
    before = load_rulebook(alone)
    path = alone.policies_dir / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    after = load_rulebook(alone)
    assert after is not before and after.sha != before.sha
    assert after.policies.sha == before.policies.sha  # an empty line says nothing


def test_a_changed_limit_counts_from_the_next_load_on(alone: Settings) -> None:
    before = load_rulebook(alone)
    path = alone.policies_dir / "frequency_policy.md"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("max_offers_per_month: 3", "max_offers_per_month: 2"), encoding="utf-8")
    after = load_rulebook(alone)
    assert [book.policies.limit("max_offers_per_month", Scope()) for book in (before, after)] == [3, 2]
    assert after.policies.sha != before.policies.sha


def test_what_settings_say_of_the_gate_makes_another_rulebook(alone: Settings) -> None:
    plain = load_rulebook(alone)
    renamed = load_rulebook(alone.model_copy(update={"attestations": {}, "database_url": None}))
    assert renamed.gate.attestations == plain.gate.attestations
    judged = load_rulebook(
        load_settings(
            _env_file=None,
            policies_dir=alone.policies_dir,
            llm_base_url="http://127.0.0.1:1/v1",
            openrouter_model="a model",
            database_url="postgresql://nobody@127.0.0.1:1/none",
        )
    )
    assert judged.blocks.judged and not plain.blocks.judged
    assert dict(judged.gate.attestations) == {} != dict(plain.gate.attestations)


def test_a_fault_is_not_kept(alone: Settings) -> None:
    path = alone.policies_dir / "disclosures.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text("version: [\n", encoding="utf-8")
    with pytest.raises(PolicyInvalid, match="broken YAML"):
        load_rulebook(alone)
    path.write_text(text, encoding="utf-8")
    assert load_rulebook(alone).disclosures
