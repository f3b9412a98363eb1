"""How a stretch of text looks: colours over one another, sizes, what clients style by themselves, and the cascade."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.email.colour import blend, parse_paint
from tools.email.document import Run, read_document

CHANNEL = st.integers(0, 255)
COLOUR = st.tuples(CHANNEL, CHANNEL, CHANNEL)


def run_of(body: str, css: str = "") -> Run:
    """Return the run that holds the mark `here`."""
    document = read_document(f'<html lang="en"><head><style>{css}</style></head><body>{body}</body></html>')
    return next(run for run in document.runs if "here" in run.text)


@pytest.mark.parametrize(
    ("value", "paint"),
    [
        ("#0f8", ((0, 255, 136), 1.0)),
        ("#0f88", ((0, 255, 136), 136 / 255)),
        ("#00ff8880", ((0, 255, 136), 128 / 255)),
        ("rgb(10, 20, 30)", ((10, 20, 30), 1.0)),
        ("rgb(10 20 30 / 50%)", ((10, 20, 30), 0.5)),
        ("rgba(100%,0%,0%,.25)", ((255, 0, 0), 0.25)),
        ("hsl(120, 100%, 25%)", ((0, 128, 0), 1.0)),
        ("hsla(240deg 100% 50% / .1)", ((0, 0, 255), 0.1)),
        ("Navy", ((0, 0, 128), 1.0)),
        ("transparent", ((0, 0, 0), 0.0)),
        ("rgba(0,0,0,2)", None),
        ("rgb(0,0)", None),
        ("linen-ish", None),
    ],
)
def test_colours_are_read_with_their_opacity(value: str, paint: object) -> None:
    assert parse_paint(value) == paint


@given(ink=COLOUR, ground=COLOUR, alpha=st.floats(0, 1))
def test_a_blend_lies_between_its_colours_channel_by_channel(
    ink: tuple[int, int, int], ground: tuple[int, int, int], alpha: float
) -> None:
    assert blend(ink, ground, 1.0) == ink and blend(ink, ground, 0.0) == ground
    for seen, above, below in zip(blend(ink, ground, alpha), ink, ground, strict=True):
        assert min(above, below) <= seen <= max(above, below)
        assert abs(seen - (below + (above - below) * alpha)) <= 0.5 + 1e-9


@pytest.mark.parametrize(
    ("body", "ratio"),
    [
        ('<p style="color:#777777;background:#ffffff">here</p>', 4.48),
        ('<p style="color:rgba(0,0,0,.5);background:#ffffff">here</p>', 3.95),
        ('<div style="background:#000"><p style="background:rgba(255,255,255,.5);color:#000">here</p></div>', 5.32),
        ('<p style="opacity:.5;color:#000;background:#fff">here</p>', 3.95),
        ('<div style="opacity:.5"><p style="opacity:1;color:#000">here</p></div>', 3.95),
        ('<table bgcolor="#000"><tr><td style="color:#fff">here</td></tr></table>', 21.0),
        ('<font color="#777777">here</font>', 4.48),
        ('<a href="https://www.examplebank.example/">here</a>', 9.4),
    ],
)
def test_contrast_is_of_what_is_seen(body: str, ratio: float) -> None:
    assert run_of(body).light.contrast == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(
    ("body", "size", "large"),
    [
        ("<p>here</p>", 16, False),
        ("<h1>here</h1>", 32, True),
        ("<h3>here</h3>", 18.72, True),
        ('<p style="font-size:18pt">here</p>', 24, True),
        ('<p style="font-size:19px">here</p>', 19, False),
        ('<p style="font-size:19px"><b>here</b></p>', 19, True),
        ('<p style="font-size:19px;font-weight:600">here</p>', 19, False),
        ('<div style="font-size:20px"><p style="font-size:50%">here</p></div>', 10, False),
        ('<div style="font-size:20px"><p style="font-size:1.5rem">here</p></div>', 24, True),
        ('<p style="font:bold 14pt/1.2 Arial, sans-serif">here</p>', 18.67, True),
        ('<p style="font-size:small">here</p>', 13, False),
    ],
)
def test_sizes_are_pixels_and_large_text_is_18_points_or_14_in_bold(body: str, size: float, large: bool) -> None:
    look = run_of(body).light
    assert (look.size, look.is_large) == (pytest.approx(size, abs=0.01), large)


def test_the_cascade_goes_by_importance_then_place_then_specificity() -> None:
    css = "p{color:#111111} .a{color:#222222} td .a{color:#333333} .b{color:#444444 !important}"
    assert run_of('<p class="a">here</p>', css).light.ink == (0x22, 0x22, 0x22)
    assert run_of('<td><p class="a">here</p></td>', css).light.ink == (0x33, 0x33, 0x33)
    assert run_of('<td><p class="a" style="color:#555555">here</p></td>', css).light.ink == (0x55, 0x55, 0x55)
    assert run_of('<p class="a b" style="color:#555555">here</p>', css).light.ink == (0x44, 0x44, 0x44)
    important = '<p class="b" style="color:#555555 !important">here</p>'
    assert run_of(important, css).light.ink == (0x55, 0x55, 0x55)


def test_the_dark_block_holds_in_the_dark_alone() -> None:
    run = run_of('<p class="a">here</p>', "@media (prefers-color-scheme: dark) {.a{color:#eeeeee !important}}")
    assert (run.light.ink, run.dark.ink) == ((0, 0, 0), (0xEE, 0xEE, 0xEE))


@pytest.mark.parametrize("value", ["var(--ink)", "color-mix(in srgb, red, blue)", "currentcolour"])
def test_a_colour_nobody_can_work_out_is_named(value: str) -> None:
    assert run_of(f'<p style="color:{value}">here</p>').light.unread == f"color: {value}"


@pytest.mark.parametrize(
    "style",
    [
        *("display:none", "visibility:hidden", "max-height:0", "height:2px", "width:0", "mso-hide:all"),
        *("position:absolute;left:-9999px", "margin-left:-9999px", "margin:0 0 0 -500px", "text-indent:-1px"),
        *("text-indent:9999px", "clip:rect(0,0,0,0)", "transform:scale(0)"),
    ],
)
def test_what_hides_text_is_named(style: str) -> None:
    assert run_of(f'<div style="{style}"><p>here</p></div>').light.hidden
    assert not run_of('<div style="margin:0 auto -8px;text-indent:2em"><p>here</p></div>').light.hidden
