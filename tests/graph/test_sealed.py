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


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_of_it_holds_nothing(protocol: int) -> None:
    pickled = pickle.dumps({"member": BOX}, protocol)
    assert b"Zebulon" not in pickled
    assert pickle.loads(pickled) == {"member": None}
    assert copy.deepcopy({"member": BOX}) == {"member": None}


def test_its_schema_tells_nothing() -> None:
    assert TypeAdapter(Sealed[Cardmember] | None).json_schema() == {"anyOf": [{}, {"type": "null"}]}
