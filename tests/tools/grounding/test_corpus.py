"""The frozen corpus: sentences written before the rules were tuned to anything."""

from typing import Any

import pytest

from tests.tools.grounding.conftest import CORPUS, DETECTORS, Find, subject_of


def _name(case: dict[str, Any]) -> str:
    text = case["text"]
    return str(text if isinstance(text, str) else " | ".join(text.values()))[:70]


@pytest.mark.parametrize("case", CORPUS["conforming"], ids=_name)
def test_conforming_copy_has_no_finding(find: Find, case: dict[str, Any]) -> None:
    names = [name for name in DETECTORS if name != "conditions_stated"]
    assert [(name, e.quote) for name in names for e in find(name, case["text"], case["offer"])] == []


@pytest.mark.parametrize("case", CORPUS["violating"], ids=_name)
def test_violating_copy_is_found_where_it_violates(find: Find, case: dict[str, Any]) -> None:
    quotes = [evidence.quote for evidence in find(case["by"], case["text"], case["offer"])]
    assert any(case["quote"] in quote for quote in quotes), quotes


def test_the_corpus_is_big_enough_to_mean_something() -> None:
    assert len(CORPUS["conforming"]) >= 50
    assert len(CORPUS["violating"]) >= 60
    assert {case["by"] for case in CORPUS["violating"]} == set(DETECTORS)
    assert subject_of("x", "access").offer["reward_unit"] == "none"
