import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.delivery.gsm import BASIC, EXTENSION, SmsLength, sms_length


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("GSM-7", 0, 1)),
        ("a" * 160, ("GSM-7", 160, 1)),
        ("a" * 161, ("GSM-7", 161, 2)),
        ("a" * 306, ("GSM-7", 306, 2)),
        ("a" * 307, ("GSM-7", 307, 3)),
        ("é" * 160, ("GSM-7", 160, 1)),
        ("€" * 80, ("GSM-7", 160, 1)),
        ("a" * 159 + "€", ("GSM-7", 161, 2)),
        ("a" * 152 + "€" + "a" * 152, ("GSM-7", 306, 3)),  # an escape and its code don't part
        ("[" * 76 + "a" * 9, ("GSM-7", 161, 2)),
        ("ç" + "a" * 69, ("UCS-2", 70, 1)),  # the alphabet has the capital only
        ("\u2019" + "a" * 70, ("UCS-2", 71, 2)),
        ("\u2019" + "a" * 133, ("UCS-2", 134, 2)),
        ("\u2019" + "a" * 134, ("UCS-2", 135, 3)),
        ("\U0001f35d" * 35, ("UCS-2", 70, 1)),
        ("a" * 66 + "\U0001f35d" + "a" * 66, ("UCS-2", 134, 3)),  # nor do the halves of an emoji
    ],
)
def test_lengths_are_counted_as_carriers_do(text: str, expected: tuple[str, int, int]) -> None:
    assert sms_length(text) == SmsLength(*expected)  # type: ignore[arg-type]


def test_the_alphabet_is_that_of_the_standard() -> None:
    assert (len(BASIC), len(EXTENSION)) == (127, 10)  # 128 codes, one of which is the escape
    assert BASIC.isdisjoint(EXTENSION)


@given(st.text(alphabet=st.characters(max_codepoint=0x1FFFF), max_size=330))
def test_segments_hold_all_units_and_are_no_more_than_splitting_costs(text: str) -> None:
    length = sms_length(text)
    single, joined = (160, 153) if length.encoding == "GSM-7" else (70, 67)
    if length.units <= single:
        assert length.segments == 1
    else:
        assert -(-length.units // joined) <= length.segments <= -(-length.units // (joined - 1))
