"""What only nodes may look into shows nowhere else."""

import copy
import pickle

import orjson
import pytest
from pydantic import TypeAdapter

from graph.sealed import Sealed
from tools.cardmembers import Cardmember

BOX = Sealed(Cardmember(user_id="U", name="Zebulon Quixworth"))


def test_a_node_opens_it() -> None:
    assert BOX.open().name == "Zebulon Quixworth"


def test_it_shows_nothing_of_its_value() -> None:
    assert (repr(BOX), str(BOX), f"{BOX}") == ("Sealed()", "Sealed()", "Sealed()")
    assert not hasattr(BOX, "__dict__")


def test_it_has_no_json_of_its_own() -> None:
    with pytest.raises(TypeError):
        orjson.dumps(BOX)
    assert orjson.dumps(BOX, default=lambda _: None) == b"null"  # what LangGraph's server does with the unknown


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_can_be_neither_pickled_nor_copied(take: object) -> None:
    with pytest.raises(TypeError, match="can't leave its process"):
        take(BOX)  # type: ignore[operator]


def test_its_schema_tells_nothing() -> None:
    assert TypeAdapter(Sealed[Cardmember] | None).json_schema() == {"anyOf": [{}, {"type": "null"}]}
