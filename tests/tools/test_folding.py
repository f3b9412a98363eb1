import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.folding import MASK, fold, mask

TRICKS = "аоеｅ３​\u00ad\u0301é×ﬁ½’“–\u2066\ufe0f𝟑Ⅳ\U000e0041\u3164ı"
TEXT = st.text(st.one_of(st.characters(), st.sampled_from(TRICKS), st.sampled_from("abc X3.\n")), max_size=60)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Guarаnteed", "Guaranteed"),
        ("fr\u200bee gift", "free gift"),
        ("un\u00adlimited", "unlimited"),
        ("ＦＲＥＥ　３Ｘ", "FREE 3X"),
        ("𝐁𝐞𝐬𝐭", "Best"),
        ("3× points", "3x points"),
        ("Café Lumière", "Cafe Lumiere"),
        ("Cafe\u0301", "Cafe"),
        ("don’t “miss”", 'don\'t "miss"'),
        ("risk–free", "risk-free"),
        ("ΑΡR", "APR"),
        ("ab\u202egnp\u202c", "abgnp"),
        ("a\ud800b", "a\ufffdb"),
        ("ﬁne…", "fine..."),
        ("日本", "日本"),
    ],
)
def test_takes_spelling_tricks_out_and_keeps_case(written: str, read: str) -> None:
    assert fold(written).text == read


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_leaves_plain_text_alone(text: str) -> None:
    assert fold(text).text == text


@given(TEXT)
def test_folding_twice_changes_nothing_more(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once


@given(TEXT)
def test_no_invisible_character_is_left(text: str) -> None:
    assert not {unicodedata.category(char) for char in fold(text).text.replace("\n", "").replace("\t", "")} & {
        "Cc",
        "Cf",
        "Mn",
        "Me",
    }


@given(TEXT, st.data())
def test_a_span_points_at_the_characters_that_became_it(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded.text)))
    end = data.draw(st.integers(start, len(folded.text)))
    first, last = folded.span(start, end)
    assert 0 <= first <= last <= len(text)
    assert folded.text[start:end] in fold(text[first:last]).text
    if start < end:
        assert last - first <= len(text)
        assert fold(text[:first]).text == folded.text[: len(fold(text[:first]).text)]


def test_a_span_of_a_hidden_word_covers_its_hiding_places() -> None:
    written = "so fr\u200be\u200be here"
    folded = fold(written)
    at = folded.text.index("free")
    first, last = folded.span(at, at + 4)
    assert written[first:last] == "fr\u200be\u200be"


def test_masks_names_in_their_own_spelling_only() -> None:
    assert mask("At Best Buy, the best buy.", ["Best Buy"]) == f"At {MASK * 8}, the best buy."


@pytest.mark.parametrize("text", ["Targeted at you", "BEST BUY", "bestBest Buyer", "Gaps"])
def test_masks_whole_words_only(text: str) -> None:
    assert mask(text, ["Target", "Best Buy", "Gap"]) == text


def test_masks_the_longer_of_two_names() -> None:
    assert mask("Amazon Business pays", ["Amazon", "Amazon Business"]) == f"{MASK * 15} pays"


@pytest.mark.parametrize("name", ["Disney+", "Tiffany & Co.", "B&H Photo", "Macy's", "P.F. Chang's", "Dunkin'"])
def test_masks_names_with_signs(name: str) -> None:
    assert mask(f"At {name} and more", [name]) == f"At {MASK * len(name)} and more"
    assert mask(fold(f"At {name.replace(chr(39), '’')}!").text, [name]) == f"At {MASK * len(name)}!"


@given(TEXT, st.lists(TEXT, max_size=4))
def test_masking_keeps_every_offset(text: str, names: list[str]) -> None:
    folded = fold(text).text
    masked = mask(folded, names)
    assert len(masked) == len(folded)
    assert all(now in (MASK, before) for before, now in zip(folded, masked, strict=True))
