import pytest

from tools.grounding.tokens import tokens_of


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Shop at Nordstrom and Tiffany & Co. Your access stays open.", 2),
        ("Shop at Tiffany & Co. and Nordstrom today.", 1),
        ("Enroll by Dec. 13, 2026.", 1),
        ("Enroll now. Shop later! Why wait? Ask us; we answer.", 5),
        ("Dear J. Smith, hello.", 1),
    ],
)
def test_a_sentence_ends_where_a_reader_sees_it_end(text: str, sentences: int) -> None:
    assert tokens_of(text)[-1].sentence + 1 == sentences
