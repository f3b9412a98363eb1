from hypothesis import given
from hypothesis import strategies as st

from tools.readable import BOX, shown


@given(st.text())
def test_what_is_shown_steers_nothing_and_keeps_its_length(text: str) -> None:
    told = shown(text)
    assert all(char.isprintable() or char == "\n" for char in told)
    assert len(told) == len(text.replace("\r\n", "\n"))


def test_escapes_and_overrides_show_as_boxes_and_breaks_stay() -> None:
    assert shown("a\x1b[31m\u202eb\r\nc\x00") == f"a{BOX}[31m{BOX}b\nc{BOX}"
    assert shown("Café, 3× “points”") == "Café, 3× “points”"
