import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.email.names import FALLBACK, greeting_name


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Amara", "Amara"),
        ("Amara Okafor", "Amara"),
        ("  Mary-Jane Watson ", "Mary-Jane"),
        ("D'Angelo", "D'Angelo"),
        ("Zoe\u0308", "Zoë"),
        ("李", "李"),
        ("प्रिया शर्मा", "प्रिया"),
        ("Bob\r\nBcc: all@evil.example", "Bob"),
        ("x" * 40, "x" * 40),
    ],
)
def test_a_plain_first_name_greets(name: str, greeted: str) -> None:
    assert greeting_name(name) == greeted


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        "   ",
        "x" * 41,
        "<b>Bob</b>",
        "Bob<script>",
        "{{7*7}}",
        "{first_name}",
        "{%if%}",
        "Al1ce",
        "12345",
        "bob@mail.example",
        "\u202eBob",
        "B\0ob",
        "Bob\0",
        "B\u200bob",
        "B\ufe0fob",
        "\u3164",
        "\u1160",
        "Ｂｏｂ",
        "B" + "\u0310" * 9 + "ob",
        "-Bob",
        "O''Neil",
        "NULL",
        "nan",
        "Mr",
        "&lt;b&gt;",
        "Bob,",
        "🙂",
        "$100",
    ],
)
def test_anything_else_greets_the_cardmember(name: str | None) -> None:
    assert greeting_name(name) == FALLBACK


@given(st.text())
def test_a_greeting_is_short_and_has_no_sign_that_markup_or_headers_know(name: str) -> None:
    greeted = greeting_name(name)
    assert 1 <= len(greeted) <= 40
    assert not set(greeted) & set('<>&"{}%$@:;\r\n\t 0123456789')
    assert greeting_name(greeted) == greeted
