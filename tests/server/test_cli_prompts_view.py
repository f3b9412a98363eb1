"""`offers prompts show | diff | variables | cost`, as they are typed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from graph.rulebook import PROMPTS
from graph.settings import load_settings
from server.commands.prompt_variables import MEANINGS
from tests.conftest import ATTESTED
from tests.policies_sent import QUIET, policy_text
from tests.scripted_model import ScriptedModel
from tests.server.commands import Offers, Ran, run_here
from tools.prompt_budget import tokens
from tools.prompt_steps import REPLY_SCHEMA
from tools.sample.edges import GOLD_ID

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
    shares = told["shared_tokens"]
    assert sum(shares.values()) == sum(told["tokens"].values()) and shares["everyone"] > 0 < shares["member"]
    assert told["view"]["domain"] == "Travel" and told["temperature"] == 0.4 and told["max_tokens"] == 700
    page = offers("prompts", "show", "draft", "--mode", "select")
    assert page.code == 0 and told["messages"][1]["content"] in page.out
    assert f"digest {told['digest']}" in page.told and f"completion {told['completion_key']}" in page.told
    assert f"shared {shares['everyone']} with every menu, {shares['menu']} more with this one" in page.told
    raw = offers("prompts", "show", "draft", "--mode", "select", "--raw")
    assert raw.out == "\n\n".join(message["content"] for message in told["messages"]) + "\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("drft",), "prompt is 'drft': allowed are analyze, draft, judge, or a variant such as draft@b"),
        (("draft@zz",), "prompt is 'draft@zz': there is none; there are analyze, draft, judge"),
        (
            ("draft", "--mode", "select", "--redraft", "body=UDAAP-06/no_false_urgency"),
            "no model is asked for this re-draft: in select, code chooses the criticised texts",
        ),
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


def test_show_gives_a_member_s_prompt_as_their_run_sends_it(
    offers: Offers,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    script: ScriptedModel,
    prompts: Callable[[str, str, str], Path],
) -> None:
    wanted = {
        "DATABASE_URL": database_url,
        "LLM_BASE_URL": script.base_url,
        "OPENROUTER_MODEL": "scripted",
        "OPENROUTER_API_KEY": "test-key",
        "COPY_MODE": "compose",
        "ATTESTATIONS": ATTESTED,
    }
    for name, value in wanted.items():
        monkeypatch.setenv(name, value)
    assert offers("db", "sample", "--n", "300").code == 0
    policy = Path("zebra_policy.md")
    policy.write_text(policy_text(QUIET, brief="Zebras stay unnamed."), encoding="utf-8")
    assert offers("policies", "add", str(policy), "--by", "A. Author").code == 0
    assert offers("policies", "approve", "zebra_policy", "--by", "C. Officer").code == 0
    member = (GOLD_ID, "--domain", "Dining")
    ran = offers("generate", *member, "--confidence", "0.95", "--preview")
    assert "draft_compose" in script.steps(), ran
    first = next(call for call in script.calls if call.step == "draft_compose")
    assert "- Zebras stay unnamed." in first.body["messages"][0]["content"], ran
    asked = offers("prompts", "show", "draft", "--member", *member, "--ask", "--json")
    told = json.loads(asked.out)
    assert told["messages"] == first.body["messages"]
    assert (told["notes"], told["temperature"]) == ([], first.body["temperature"])
    nobody = offers("prompts", "show", "draft", "--member", "USER_UNKNOWN")
    assert nobody.code == 1 and "there is no such cardmember" in nobody.err
    cost = json.loads(offers("prompts", "cost", "--from-table", "--members", "200", "--json").out)
    assert cost["members"] == 200 == cost["offers"] + sum(cost["held_back"].values()) and cost["offers"] > 20
    assert cost["steps"]["draft"]["notes"] == []
    prompts("draft@b.md", "warm and plain", "plain and warm")
    monkeypatch.setenv("PROMPT_SPLIT", '{"draft": {"b": 100}}')
    elsewhere = f"a run for {GOLD_ID} is sent draft@b (PROMPT_SPLIT), unless it asks for draft"
    for name, told_of in (("draft", True), ("draft@b", False)):
        shown = json.loads(offers("prompts", "show", name, "--member", *member, "--mode", "select", "--json").out)
        assert (elsewhere in shown["notes"]) is told_of


def test_show_gives_the_prompt_of_a_re_draft(offers: Offers) -> None:
    clause = "UDAAP-03/conditions_stated"
    ran = offers("prompts", "show", "draft", "--mode", "compose", "--redraft", f"body={clause}", "--raw")
    assert ran.code == 0 and "answer with body only." in ran.out and f"- [{clause}] body " in ran.out
    for arguments, said in (
        (("draft", "--redraft", "body"), "--redraft is 'body': write PART=POLICY/CLAUSE"),
        (("judge", "--redraft", f"body={clause}"), "--redraft goes with draft"),
    ):
        refused = offers("prompts", "show", *arguments)
        assert refused.code == 2 and said in refused.err


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
        assert rows[name]["example"] not in ("", "[]"), name
    assert rows["violations"]["example"].startswith("{'clause': 'UDAAP-03/conditions_stated', 'field': 'body'")
    assert rows["options"]["shape"] == "list of {id, label, without}" and "travel_" in rows["options"]["example"]


def test_cost_weighs_a_population_without_a_model(offers: Offers, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, price in (("INPUT", "1"), ("CACHED", "0.5"), ("OUTPUT", "2")):
        monkeypatch.setenv(f"LLM_{name}_USD_PER_MILLION", price)
    told = json.loads(offers("prompts", "cost", "--members", "400", "--mode", "select", "--json").out)
    assert told["offers"] + sum(told["held_back"].values()) == 400 == told["members"]
    assert 80 < told["offers"] < 200
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
