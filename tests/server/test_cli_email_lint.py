import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from graph.settings import Settings
from tests.server.commands import Offers, Ran, run_here
from tools.email.brand import Brand
from tools.policies.standard import standard_message

ROOT = Path(__file__).parents[2]
HEADERS = "".join(f"{name}: {value}\n" for name, value in standard_message().headers.items() if name != "Content-Type")
PART = '--b\nContent-Type: text/{kind}; charset="utf-8"\nContent-Transfer-Encoding: 7bit\n\n{body}\n'


def page(**changes: str) -> str:
    """Return the standard message's HTML, lines kept under what mail allows, with pieces replaced."""
    html = standard_message().html.replace("<p ", "\n<p ")
    for old, new in changes.items():
        html = html.replace(old, new)
    return html


def mail(headers: str = HEADERS, html: str | None = None) -> str:
    parts = PART.format(kind="plain", body=standard_message().text) + PART.format(kind="html", body=html or page())
    return f'{headers}Content-Type: multipart/alternative; boundary="b"\n\n{parts}--b--\n'


FAULTY = mail(HEADERS.replace("List-Unsubscribe-Post", "X-Post"), page(Wilmington="Dover"))


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def replies(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(each) for each in ran.out.splitlines()]


def test_a_clean_mail_and_what_it_can_not_show(offers: Offers, tmp_path: Path) -> None:
    (tmp_path / "good.eml").write_text(mail())
    ran = offers("email", "lint", "good.eml")
    assert ran.code == 0
    assert "good.eml clean" in ran.told
    assert "not checked: the member isn't known: SPAM-05/not_opted_out_at_send" in ran.told
    assert (
        "not told by a file alone: whether the opt-out page answers, for 30 days (SPAM-03/message_opt_out)" in ran.told
    )
    assert "1 checked: no finding" in ran.told
    assert not (tmp_path / "data").exists()


def test_each_finding_has_its_id_place_quote_and_remedy(offers: Offers, tmp_path: Path) -> None:
    (tmp_path / "bad.eml").write_text(FAULTY)
    ran = offers("email", "lint", "bad.eml")
    assert ran.code == 1
    assert "bad.eml 2 findings" in ran.told
    assert (
        "block MBOX-01/message_one_click List-Unsubscribe-Post"
        " 'List-Unsubscribe-Post: missing: must be List-Unsubscribe=One-Click'"
    ) in ran.told
    assert (
        "block SPAM-07/message_postal_address html 'the postal address is missing: Example Bank, 100 Main" in ran.told
    )
    assert "Write the address of BRAND_POSTAL_ADDRESS word for word into the footer of both parts." in ran.told


def test_json_is_one_object_per_file_of_a_folder_and_nothing_else(offers: Offers, tmp_path: Path) -> None:
    folder = tmp_path / "agency"
    (folder / "more").mkdir(parents=True)
    (folder / "a.eml").write_text(mail())
    (folder / "b.HTML").write_text(page(Unsubscribe="Click here"))
    (folder / "more" / "c.eml").write_text(FAULTY)
    (folder / "notes.txt").write_text("no mail")
    ran = offers("email", "lint", "agency", "agency/a.eml", "--json")
    assert ran.code == 1
    good, html, bad = replies(ran)
    assert [each["file"] for each in (good, html, bad)] == ["agency/a.eml", "agency/b.HTML", "agency/more/c.eml"]
    assert [each["verdict"] for each in (good, html, bad)] == ["pass", "violate", "violate"]
    assert {each["id"] for each in html["findings"]} == {"MBOX-07/message_link_texts", "SPAM-03/message_opt_out"}
    finding = next(each for each in html["findings"] if each["id"] == "MBOX-07/message_link_texts")
    assert (finding["part"], finding["header"], finding["line"]) == ("html", None, page().count("\n") + 1)
    assert bad["findings"][0]["header"] == "List-Unsubscribe-Post"


def test_html_alone_says_once_that_there_are_no_headers(offers: Offers, tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        (tmp_path / name).write_text(page())
    ran = offers("email", "lint", "a.html", "b.html")
    assert ran.code == 0
    assert ran.told.count("not checked: no headers: FMT-01/message_subject_length, MBOX-01/message_one_click") == 1


def test_stdin_is_read_as_what_it_begins_with(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, file_code in ((mail(), 0), (page(), 0), (FAULTY, 1), ("hello", 2)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given.encode())))
        ran = offers("email", "lint", "-", "--json")
        assert (ran.code, replies(ran)[0]["file"]) == (file_code, "stdin")


def test_what_can_not_be_read_is_2_and_the_rest_is_still_checked(offers: Offers, tmp_path: Path) -> None:
    (tmp_path / "bad.eml").write_text(FAULTY)
    (tmp_path / "page.eml").write_text("<p>hello</p>")
    (tmp_path / "empty").mkdir()
    ran = offers("email", "lint", "nope.eml", "page.eml", "bad.eml")
    assert ran.code == 2
    assert "bad.eml 2 findings" in ran.told and "1 checked: 2 findings in 1; 2 unreadable" in ran.told
    assert ran.err.splitlines() == [
        "error: nope.eml: No such file or directory",
        "error: page.eml: doesn't begin with a header such as 'From: ...'; if it is HTML alone, name it .html",
    ]
    told = offers("email", "lint", "empty")
    assert (told.code, told.out) == (2, "")
    assert "empty: holds no file that ends in .eml, .html, .htm" in told.err


def test_the_brand_is_the_settings(offers: Offers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "good.eml").write_text(mail())
    monkeypatch.setenv("BRAND_POSTAL_ADDRESS", "Example Bank, 1 Other Street, Dover, DE 19901")
    (reply,) = replies(offers("email", "lint", "good.eml", "--json"))
    assert {each["id"] for each in reply["findings"]} == {"SPAM-07/message_postal_address"}
    assert Brand().postal_address not in json.dumps(reply)


def test_the_list_is_the_documented_table(offers: Offers) -> None:
    ran = offers("email", "lint", "--list")
    assert ran.code == 0
    assert ran.out in (ROOT / "docs" / "email-lint.md").read_text("utf-8")


def test_lint_imports_no_graph_no_model_and_no_index(tmp_path: Path) -> None:
    heavy = {"langgraph", "langchain_core", "openai", "fastapi", "chromadb", "torch", "psycopg_pool"}
    path = tmp_path / "good.eml"
    path.write_text(mail())
    code = (
        "import sys; sys.argv = ['offers', 'email', 'lint', sys.argv[1], '--json']\n"
        "from server.cli import main\n"
        "try: main()\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True, cwd=ROOT)
    assert json.loads(ran.stdout)["verdict"] == "pass"
    assert heavy.isdisjoint(ran.stderr.split())
