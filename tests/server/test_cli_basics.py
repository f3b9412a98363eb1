import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
import typer
from rich.console import Console

from graph.settings import Settings
from server.commands import generate
from server.commands.config import markdown_table
from server.commands.console import err, plain, stopped
from server.commands.diff import word_diff
from server.commands.story import _files
from tests.server.commands import Offers, run_here

ROOT = Path(__file__).parents[2]
COMMANDS = [
    ["demo"],
    ["serve"],
    ["studio"],
    ["generate"],
    ["check"],
    ["policies", "lint"],
    ["policies", "list"],
    ["policies", "show"],
    ["policies", "test"],
    ["policies", "coverage"],
    ["policies", "diff"],
    ["policies", "impact"],
    ["policies", "add"],
    ["policies", "approve"],
    ["policies", "retire"],
    ["policies", "drafts"],
    ["policies", "history"],
    ["policies", "set"],
    ["copy", "list"],
    ["copy", "approve"],
    ["email", "lint"],
    ["budget", "show"],
    ["budget", "set"],
    ["config"],
    ["status"],
    ["stop"],
    ["version"],
    ["db", "load"],
    ["db", "sample"],
    ["db", "predictions"],
    ["db", "erase"],
    ["suppression", "list"],
    ["suppression", "add"],
    ["suppression", "remove"],
    ["suppression", "import"],
    *(["campaign", verb] for verb in ("create", "rejects", "plan", "run", "resume", "list", "status", "pause")),
    *(["campaign", verb] for verb in ("cancel", "verify", "export", "report")),
]


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Offers:
    monkeypatch.chdir(tmp_path)  # no `.env` of this folder
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_shows_an_example(offers: Offers, command: list[str]) -> None:
    shown = offers(*command, "--help")
    assert shown.code == 0
    assert f"offers {' '.join(command)}" in shown.told.partition("Example:")[2]
    example = shown.out.partition("Example:")[2].partition("╭")[0]
    assert [line for line in example.splitlines() if line.count("offers ") > 1] == []  # each on a line of its own


def test_the_command_line_imports_nothing_heavy() -> None:
    """Help must be there at once: what a command needs is imported when it runs."""
    heavy = {"polars", "numpy", "psycopg", "pydantic", "langgraph", "langchain_core", "openai", "fastapi", "chromadb"}
    code = "import sys, server.cli; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert heavy.isdisjoint(ran.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["nope"],
        ["generate", "USER_1"],
        ["generate", "USER_1", "--domain", "Nowhere", "--confidence", "0.9"],
        ["generate", "USER_1", "--domain", "Travel", "--confidence", "1.9"],
        ["generate", "USER_1", "--predictions", "file.json"],
        ["generate", "--predictions", "file.json", "--trace"],
        ["db", "load"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2_and_says_so_on_standard_error(offers: Offers, arguments: list[str]) -> None:
    ran = offers(*arguments)
    assert (ran.code, "Traceback" in ran.err) == (2, False)
    assert ran.err or ran.out


def test_a_bad_setting_is_one_line_with_its_remedy(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "ninety")
    ran = offers("status")
    assert ran.code == 1
    assert ran.err.startswith("error: PORT is 'ninety'; allowed: ")
    assert ran.err.splitlines()[1] == "next:  `offers config` shows every setting and what it means"


def test_config_never_prints_a_secret(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENROUTER_API_KEY", "TOKEN_SECRET"):
        monkeypatch.setenv(name, "planted-secret")
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:planted-secret@127.0.0.1/x")
    monkeypatch.setenv("OPENROUTER_MODEL", "vendor/model")
    monkeypatch.setenv("MAX_OFFERS_PER_MONTH", "2")
    ran = offers("config")
    assert "planted-secret" not in ran.out + ran.err
    assert "TOKEN_SECRET = *** (default: unset)" in ran.told
    assert "MAX_OFFERS_PER_MONTH = 2 (default: 3)" in ran.told


def test_the_markdown_table_has_every_setting_and_no_path_of_this_machine(offers: Offers) -> None:
    ran = offers("config", "--markdown")
    assert ran.out == markdown_table()
    rows = ran.out.splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [name.upper() for name in Settings.model_fields]
    assert str(ROOT) not in ran.out and os.path.expanduser("~") not in ran.out


def test_status_starts_nothing_and_stop_has_nothing_to_stop(offers: Offers, tmp_path: Path) -> None:
    assert offers("status").told.count("not running") == 2
    assert offers("stop").told == "nothing was running"
    assert not (tmp_path / "data").exists()


def test_status_says_which_setting_replaces_a_part(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://example.invalid/db")
    monkeypatch.setenv("LLM_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENROUTER_MODEL", "vendor/model")
    told = offers("status").told
    assert "not used: DATABASE_URL is set" in told and "not used: LLM_BASE_URL is set" in told


def test_a_taken_port_is_one_line_with_its_remedy(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = offers("serve", "--port", str(taken.getsockname()[1]))
    assert ran.code == 1
    assert "can't be listened on (Address already in use)" in ran.err and "--port 0" in ran.err


def test_a_domain_in_any_letters_is_taken_and_another_word_told_the_allowed_ones(offers: Offers) -> None:
    assert generate._domain("business services") == "Business Services"
    ran = offers("generate", "USER_1", "--domain", "Gambling", "--confidence", "0.9")
    assert ran.code == 2
    assert "'Gambling' is no domain; allowed: Travel, Dining, Electronics, Business Services" in ran.err


def test_ctrl_c_says_what_is_not_done(capsys: pytest.CaptureFixture[str]) -> None:
    err.cache_clear()
    with pytest.raises(typer.Exit) as ended, stopped("nothing of list.csv was put on the list"):
        raise KeyboardInterrupt
    assert ended.value.exit_code == 130
    assert capsys.readouterr().err == "error: stopped: nothing of list.csv was put on the list\n"


def test_a_long_path_of_a_story_stays_whole_on_a_narrow_terminal() -> None:
    path = Path("/srv") / ("a" * 120) / "run.html"
    console = Console(width=80, file=StringIO())
    console.print(_files([path, path.with_suffix(".eml")]))
    assert isinstance(console.file, StringIO)
    shown = console.file.getvalue()
    assert shown.replace("\n", "").startswith(str(path)) and shown.endswith("and the same name with .eml\n")


def test_a_word_diff_marks_what_went_and_what_came() -> None:
    shown = word_diff("Spend $13 or more, now.", "Spend $15 or more.")
    assert shown.plain == "Spend $[-13-]{+15+} or more[-, now-]."


def test_plain_text_can_not_steer_a_terminal() -> None:
    assert plain("a\x1b[31mb\u202ec\nd\xa0é") == "a [31mb c\nd é"
