"""`offers prompts show | diff | variables | cost`, as they are typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.rulebook import PROMPTS
from graph.settings import load_settings
from server.commands.prompt_variables import MEANINGS
from tests.server.commands import Offers, Ran, run_here
from tools.prompt_budget import tokens
from tools.prompt_steps import REPLY_SCHEMA

PROMPTS_DIR = load_settings(_env_file=None).prompts_dir


@pytest.fixture
def offers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, data_dir: Path, tmp_path: Path
) -> Offers:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(data_dir))
    monkeypatch.setenv("CHROMA_DIR", str(tmp_path / "chroma"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Ran:
        return run_here(capsys, monkeypatch, *arguments)

    return run


@pytest.fixture
def prompts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str, str], Path]:
    """Write a variant of draft.md with some words changed, in a prompts folder of the test's own."""

    def changed(name: str, old: str, new: str) -> Path:
        import shutil

        folder = tmp_path / "prompts"
        if not folder.exists():
            shutil.copytree(PROMPTS_DIR, folder)
        text = (folder / "draft.md").read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")
        monkeypatch.setenv("PROMPTS_DIR", str(folder))
        return folder / name

    return changed


def test_show_prints_the_messages_and_what_they_weigh(offers: Offers) -> None:
    told = json.loads(offers("prompts", "show", "draft", "--mode", "select", "--json").out)
    assert told["prompt"] == "draft" and told["schema_name"] == "draft_select"
    assert [message["role"] for message in told["messages"]] == ["system", "user"]
    assert told["tokens"] == {
        "system": tokens(told["messages"][0]["content"]),
        "user": tokens(told["messages"][1]["content"]),
    }
    assert told["view"]["domain"] == "Travel" and told["temperature"] == 0.4 and told["max_tokens"] == 700
    page = offers("prompts", "show", "draft", "--mode", "select")
    assert page.code == 0 and told["messages"][1]["content"] in page.out
    assert f"digest {told['digest']}" in page.told
    raw = offers("prompts", "show", "draft", "--mode", "select", "--raw")
    assert raw.out == "\n\n".join(message["content"] for message in told["messages"]) + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("drft",), "prompt is 'drft': allowed are analyze, draft, judge, or a variant such as draft@b"),
        (("draft@zz",), "prompt is 'draft@zz': there is none; there are analyze, draft, judge"),
        (("draft", "--view", "Travel,gold"), "--view is 'Travel,gold': give domain, card_type, strategy"),
        (
            ("draft", "--view", "Travel,tin,persuadable,stable,medium,preferred,new"),
            "--view: card_type is 'tin': Input should be 'basic', 'gold' or 'platinum'",
        ),
    ],
)
def test_show_says_what_it_can_t_show(offers: Offers, arguments: tuple[str, ...], said: str) -> None:
    ran = offers("prompts", "show", *arguments)
    assert ran.code == 1 and said in " ".join(ran.err.split())


def test_diff_tells_parameters_words_and_what_a_model_gets(
    offers: Offers, prompts: Callable[[str, str, str], Path]
) -> None:
    prompts("draft@b.md", "warm and plain", "short and plain")
    ran = offers("prompts", "diff", "draft", "draft@b", "--mode", "compose")
    assert ran.code == 0
    assert ran.out.count("card issuer's member: [-warm-]{+short+} and plain") == 2  # as written, and as sent
    assert "system, as written" in ran.out and "system message for Travel,gold" in ran.out
    prompts("draft@c.md", "temperature: 0.4", "temperature: 0.9")
    told = offers("prompts", "diff", "draft", "draft@c").told
    assert "temperature 0.4 0.9" in told and "as written" not in told


def test_diff_reads_any_file_and_knows_equal_bytes(offers: Offers, prompts: Callable[[str, str, str], Path]) -> None:
    other = prompts("draft@b.md", "warm and plain", "calm and plain")
    apart = other.rename(other.parent.parent / "draft.md")
    ran = offers("prompts", "diff", "draft", str(apart), "--mode", "compose")
    assert ran.code == 0 and "[-warm-]{+calm+}" in ran.out
    assert "are the same bytes" in offers("prompts", "diff", "draft", "draft").told


def test_diff_takes_a_git_revision(offers: Offers, prompts: Callable[[str, str, str], Path]) -> None:
    import subprocess

    folder = prompts("draft@b.md", "warm and plain", "calm and plain").parent
    identity = ("-c", "user.name=Tests", "-c", "user.email=tests@example.com")
    for arguments in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "Add prompts")):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True)
    prompts("draft.md", "warm and plain", "brisk and plain")
    ran = offers("prompts", "diff", "draft:HEAD", "draft", "--mode", "compose")
    assert ran.code == 0 and "[-warm-]{+brisk+}" in ran.out
    missing = offers("prompts", "diff", "draft:nowhere", "draft")
    assert missing.code == 1 and "git knows no revision 'nowhere'" in " ".join(missing.err.split())


def test_diff_compares_prompts_of_one_step(offers: Offers) -> None:
    ran = offers("prompts", "diff", "draft", "judge")
    assert ran.code == 1 and "draft and judge are prompts of different steps" in " ".join(ran.err.split())


def test_every_variable_of_every_step_is_told(offers: Offers) -> None:
    told = json.loads(offers("prompts", "variables", "--json").out)
    assert {step: [row["name"] for row in rows] for step, rows in told.items()} == {
        step: [*PROMPTS[step].variables, REPLY_SCHEMA] for step in ("analyze", "draft", "judge")
    }
    assert set(MEANINGS) == {row["name"] for rows in told.values() for row in rows}
    rows = {row["name"]: row for row in told["draft"]}
    for name in PROMPTS["draft"].variables:
        for place in rows[name]["used"]:
            file, line = place.split(":")
            assert name in (PROMPTS_DIR / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
        assert rows[name]["used"], name
    assert rows["options"]["shape"] == "list of {id, label, without}" and "travel_" in rows["options"]["example"]


def test_cost_weighs_a_population_without_a_model(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, price in (("INPUT", "1"), ("CACHED", "0.5"), ("OUTPUT", "2")):
        monkeypatch.setenv(f"LLM_{name}_USD_PER_MILLION", price)
    told = json.loads(offers("prompts", "cost", "--members", "400", "--mode", "select", "--json").out)
    assert told["members"] == 400 and 80 < told["offers"] < 200
    for step in ("analyze", "draft"):
        row = told["steps"][step]
        assert row["calls_per_1000_offers"] == pytest.approx(
            row["distinct_per_1000_members"] * 400 / told["offers"], abs=0.1
        )
        plain = row["calls_per_1000_offers"] * (row["tokens_in_mean"] + 2 * row["tokens_out_most"]) / 1e6
        assert row["usd_per_1000_offers"]["plain"] == pytest.approx(plain, rel=1e-3)
        assert row["usd_per_1000_offers"]["prefix_cached"] < row["usd_per_1000_offers"]["plain"]
    monkeypatch.delenv("LLM_INPUT_USD_PER_MILLION")
    page = offers("prompts", "cost", "--members", "100")
    assert "set LLM_INPUT_USD_PER_MILLION and LLM_OUTPUT_USD_PER_MILLION to see money" in page.told
