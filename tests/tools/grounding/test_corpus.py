"""The frozen corpora: sentences written before the rules were tuned to them."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.grounding.conftest import CORPUS, DETECTORS, Find

HOLDOUT: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("holdout.yaml").read_text(encoding="utf-8"))
OF_SENTENCES = [name for name in DETECTORS if name != "conditions_stated"]
"""A single sentence never states all conditions."""


def _name(case: dict[str, Any]) -> str:
    text = case["text"]
    return str(text if isinstance(text, str) else " | ".join(text.values()))[:70]


@pytest.mark.parametrize("case", CORPUS["conforming"] + HOLDOUT["conforming"], ids=_name)
def test_conforming_copy_has_no_finding(find: Find, case: dict[str, Any]) -> None:
    found = [(name, e.quote) for name in OF_SENTENCES for e in find(name, case["text"], case["offer"])]
    assert bool(found) == case.get("gap", False), found


@pytest.mark.parametrize("case", CORPUS["violating"], ids=_name)
def test_violating_copy_is_found_where_it_violates(find: Find, case: dict[str, Any]) -> None:
    quotes = [evidence.quote for evidence in find(case["by"], case["text"], case["offer"])]
    assert any(case["quote"] in quote for quote in quotes), quotes


@pytest.mark.parametrize("case", HOLDOUT["violating"], ids=_name)
def test_violating_copy_of_the_holdout_is_found(find: Find, case: dict[str, Any]) -> None:
    quotes = [e.quote for name in OF_SENTENCES for e in find(name, case["text"], case["offer"])]
    assert any(case["quote"] in quote or quote in case["quote"] for quote in quotes) != case.get("gap", False), quotes


def test_the_corpus_covers_every_detector_but_the_one_with_a_corpus_of_its_own() -> None:
    assert {case["by"] for case in CORPUS["violating"]} == set(DETECTORS) - {"licensed_conditions"}
