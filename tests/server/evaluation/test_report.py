"""Reports say what was found, and whatever a model wrote stays text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import html5lib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from server.evaluation.compare import Comparison, compare
from server.evaluation.report import write_report
from server.evaluation.report.drafts import MOST_SHOWN, compared, differing
from server.evaluation.report.html import html
from server.evaluation.report.markdown import escaped, markdown
from server.evaluation.report.view import clause_lines, scales
from server.evaluation.tables import console_tables
from tests.server.evaluation.runs import PRICES, draft, failing, of_outcomes, passing, result, run
from tests.server.evaluation.shown import shown

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</del></dd></main><h1>Better</h1>",
    "&lt;b&gt; &#60;i&#62;",
    "{{ 7 * 7 }} {% raw %}",
    "```\n# Better\n```",
    "[here](javascript:alert(1)) ![x](http://evil.example/x.png) <http://evil.example>",
    "| a | b |\n|---|---|\n<!-- -->",
    "- [x] done\n> quote\n1. one",
    "\x1b[31mred\x1b[0m \u202egnp.exe \x00",
)


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return shown()


def _hostile(payload: str) -> Comparison:
    clean = payload.replace("\x00", "")
    before = [result(f"c-{number}", 0, passing(draft(f"Plain {number}."))) for number in range(12)]
    attempt = failing("SEC-01/prose", text=draft(clean, subject=clean[:150], headline=clean[:150]))
    attempt = attempt.model_copy(update={"quotes": {"SEC-01/prose": clean}})
    after = [result(f"c-{number}", 0, attempt, copy_text={"body": clean}) for number in range(12)]
    return compare(run(before), run(after, eval_id="e-2", model=clean, prompt=clean), prices=PRICES)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _tags(page: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(page)
    return parser.found


def _structure(page: str) -> list[str]:
    """Return the tags in order, without the marks of words that differ: their number depends on the words."""
    return [tag for tag, _ in _tags(page) if tag not in ("ins", "del")]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_a_model_is_text_in_html(payload: str) -> None:
    page = html(_hostile(payload))
    html5lib.HTMLParser(strict=True).parse(page)
    assert _structure(page) == _structure(html(_hostile("plain text")))
    assert not {tag for tag, _ in _tags(page)} & {"script", "img", "iframe", "link", "object"}
    assert all(char.isprintable() or char == "\n" for char in page)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_text_of_a_model_is_text_in_markdown(payload: str) -> None:
    written = markdown(_hostile(payload))
    kinds = [token.type for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(written)]
    plain = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown(_hostile("plain text")))
    assert kinds == [token.type for token in plain]
    assert not {"html_block", "html_inline", "link_open", "image"} & set(kinds)
    assert all(char.isprintable() or char == "\n" for char in written)


@given(st.text(alphabet=st.sampled_from("ab1. )(][!<>&#*_`~|\\-+=:/@{}w\n"), max_size=40))
def test_escaped_text_renders_as_itself(text: str) -> None:
    wanted = " ".join(text.split())
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(f"- x: {escaped(text)}")
    inline = [child for token in rendered if token.type == "inline" for child in token.children or ()]
    assert {child.type for child in inline} <= {"text", "text_special"}
    assert "".join(child.content for child in inline) == f"x: {wanted}".rstrip()


@given(st.text(max_size=60), st.text(max_size=60))
def test_pieces_joined_are_the_texts(a: str, b: str) -> None:
    left, right = compared(a, b)
    assert ("".join(piece.text for piece in left), "".join(piece.text for piece in right)) == (a, b)
    assert (a == b) is all(piece.kind == "same" for piece in (*left, *right))


def test_words_that_differ_are_marked_and_blanks_between_them_with_them() -> None:
    left, right = compared("Earn {offer_value} now and then.", "Earn {offer_value} this very day.")
    assert [(piece.kind, piece.text) for piece in left] == [
        ("same", "Earn {offer_value} "),
        ("gone", "now and then"),
        ("same", "."),
    ]
    assert [piece.text for piece in right if piece.kind == "new"] == ["this very day"]


def test_a_page_needs_no_script_and_nothing_from_elsewhere(comparison: Comparison) -> None:
    page = html(comparison)
    assert "default-src 'none'" in page
    for _, attributes in _tags(page):
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "style")}
        assert (attributes.get("href") or "#").startswith("#")
    assert "url(" not in page and "@import" not in page


def test_every_link_of_a_page_has_its_target_and_ids_are_unique(comparison: Comparison) -> None:
    tags = _tags(html(comparison))
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {(attributes["href"] or "")[1:] for tag, attributes in tags if tag == "a"} <= set(ids)


def test_cases_that_got_worse_come_first_and_one_pair_stands_for_each(comparison: Comparison) -> None:
    drafts = differing(comparison.pairing)
    order = ["worse", "better", "other words"]
    changes = [order.index(one.change) for one in drafts]
    assert changes == sorted(changes)
    assert len({one.case_id for one in drafts}) == len(drafts)
    assert all(one.a.passes and not one.b.passes for one in drafts if one.change == "worse")
    assert html(comparison).count("<article") == min(MOST_SHOWN, len(drafts))


def test_reports_name_verdict_figures_clauses_quotes_and_runs(comparison: Comparison) -> None:
    written, page = markdown(comparison), html(comparison)
    for text in (written, page):
        assert comparison.verdict.why in text
        for said in (
            "88.0 %",
            "+11.0 points",
            "+4.6 to +16.9",
            "UDAAP-14/false-urgency",
            "Only hours left",
            "8be41f778be4",
        ):
            assert said in text
        assert "2026-05-04 14:00 UTC" in text
        assert "Quality is a model" in text
    assert written.startswith("# Better: draft@b against draft\n")
    assert re.search(r"^\| \*\*First draft passes\*\* +\| 77\.0 % \| 88\.0 % \|", written, re.MULTILINE)
    assert max(map(len, written.split("```")[0].splitlines())) < 200


def test_bars_stand_where_the_figures_are(comparison: Comparison) -> None:
    rates, means = scales(comparison)
    first = rates.lines[0]
    assert first.mark is not None
    assert (first.primary, first.tone) == (True, "better")
    assert 50 < first.mark.low < first.mark.at < first.mark.high <= 97
    for line in (*rates.lines, *means.lines):
        assert line.mark is None or 3 <= line.mark.low <= line.mark.at <= line.mark.high <= 97


def test_clauses_broken_more_often_than_before_come_first(comparison: Comparison) -> None:
    rises = [line.b_share - line.a_share for line in clause_lines(comparison)]
    assert rises == sorted(rises, reverse=True)


def test_equal_runs_have_no_draft_to_show() -> None:
    passed = np.ones((20, 1))
    told = compare(of_outcomes(passed), of_outcomes(passed, eval_id="e-2"))
    assert "## First drafts that differ\n\nNone." in markdown(told)
    assert "None, in either version." in markdown(told)
    assert "<article" not in html(told)


def test_reports_are_written_whole(tmp_path: Path, comparison: Comparison) -> None:
    written = write_report(tmp_path / "new" / "folder", comparison)
    assert written.html.read_text(encoding="utf-8") == html(comparison)
    assert written.markdown.read_text(encoding="utf-8") == markdown(comparison)
    assert sorted(path.name for path in written.html.parent.iterdir()) == ["report.html", "report.md"]


@pytest.mark.parametrize("width", [60, 120])
def test_the_console_shows_the_verdict_and_cant_be_steered(width: int) -> None:
    console = Console(width=width, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(console_tables(_hostile("\x1b[31m\u202e [bold]evil[/bold] https://x.example")))
    said = captured.get()
    assert "worse" in said
    assert "\x1b" not in said and "\u202e" not in said
    assert "[bold]evil[/bold]" in said
    assert "guard tripped: first drafts that break SEC: 100.0 %" in said.replace("\n", " ")
