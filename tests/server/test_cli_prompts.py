"""`offers prompts lint` and `offers generate --variant` as people type them."""

import json
import shutil
from pathlib import Path

import pytest

from graph.settings import Settings
from tests.server.commands import Offers, run_here

SHIPPED = Path(__file__).parents[2] / "prompts"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the prompts, with a drafting prompt whose examples are left out: they take the gate seconds."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    text = (folder / "draft.md").read_text(encoding="utf-8")
    start, end = text.index("# One contrast"), text.index("---\n# System")
    (folder / "draft.md").write_text(text[:start] + text[end:], encoding="utf-8")
    return folder


@pytest.fixture
def offers(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, folder: Path, tmp_path: Path) -> Offers:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PROMPTS_DIR", str(folder))
    monkeypatch.setenv("COLUMNS", "120")
    return lambda *arguments: run_here(capsys, monkeypatch, *arguments)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_lint_says_so_when_nothing_is_wrong(offers: Offers, folder: Path) -> None:
    ran = offers("prompts", "lint")
    assert (ran.code, ran.out) == (0, f"{folder}: nothing to correct\n")


def test_lint_prints_every_fault_and_exits_with_one(offers: Offers, folder: Path) -> None:
    edit(folder / "draft.md", "{{ option.label }}", "{{ option.lable }}")
    edit(folder / "analyze.md", "temperature: 0.2", "temperature: 7")
    ran = offers("prompts", "lint")
    assert ran.code == 1
    analyze, draft = ran.out.splitlines()
    assert analyze.startswith(f"{folder / 'analyze.md'}:5:1 temperature-range temperature is 7: ")
    assert draft.startswith(f"{folder / 'draft.md'}:") and "did you mean 'label'?" in draft
    one = offers("prompts", "lint", str(folder / "analyze.md"))
    assert (one.code, one.out.splitlines()) == (1, [analyze])
    good = offers("prompts", "lint", str(folder / "judge.md"))
    assert good.code == 0


def test_lint_speaks_json(offers: Offers, folder: Path) -> None:
    edit(folder / "analyze.md", "one category may help.", "{{ view.domain }} may help.")
    ran = offers("prompts", "lint", "--json")
    assert ran.code == 0  # a warning stops nothing
    (fault,) = json.loads(ran.out)
    assert (fault["path"], fault["line"], fault["code"]) == (str(folder / "analyze.md"), 11, "member-fact-early")
    assert fault["severity"] == "warning" and fault["remedy"] and fault["message"]
    told = offers("prompts", "lint")
    assert told.out.splitlines()[0].endswith("(warning)") and "nothing to correct, 1 warning" in told.out


def test_lint_refuses_a_file_that_isnt_there(offers: Offers) -> None:
    ran = offers("prompts", "lint", "draft@z.md")
    assert ran.code == 1 and "'draft@z.md': there is no such file" in ran.err


@pytest.mark.parametrize(
    ("given", "said"),
    [(["draft"], "PROMPT=VARIANT"), (["draft="], "PROMPT=VARIANT"), (["draft=b", "draft=c"], "names 'draft' twice")],
)
def test_a_variant_that_cant_be_read_is_wrong_usage(offers: Offers, given: list[str], said: str) -> None:
    flags = [part for text in given for part in ("--variant", text)]
    ran = offers("generate", "USER_1", "--domain", "Travel", "--confidence", "0.9", *flags)
    assert ran.code == 2 and said in " ".join(ran.err.split())


def test_a_split_without_its_file_is_told_with_what_to_do(
    offers: Offers, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setenv("PROMPT_SPLIT", '{"draft": {"b": 20}}')
    ran = offers("config")
    assert ran.code == 0 and 'PROMPT_SPLIT = {"draft": {"b": 20.0}}' in ran.out
