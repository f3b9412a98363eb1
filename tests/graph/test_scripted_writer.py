"""The scripted model that writes: what it means to conform conforms, and it breaks what it says at the rate it says."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graph.rulebook import load_rulebook
from graph.settings import ROOT, load_settings
from tests.graph.test_draft_prompt import brief_of, found_in, views
from tests.scripted_model import Call, Writer, written
from tests.scripted_model.writing import FAULTS, rates_of
from tools.drafting import draft_ask, draft_of
from tools.vocabulary import DOMAINS, Domain


@pytest.fixture(scope="module")
def parts() -> Any:
    settings = load_settings(_env_file=None)
    return SimpleNamespace(settings=settings, rulebook=load_rulebook(settings))


def asked(view: Any, parts: Any) -> tuple[Call, Any, Any]:
    brief = brief_of(view, parts)
    ask = draft_ask(parts.rulebook.prompts.pick("draft", {}), brief, parts.rulebook.blocks)
    form = {"json_schema": {"name": ask.name, "schema": ask.schema}}
    messages = [{"role": role, "content": text} for role, text in ask.messages]
    return Call(ask.name, {"messages": messages, "response_format": form}, {}, 0.0), ask, brief


def broken(answer: Any, ask: Any, brief: Any, parts: Any) -> set[str]:
    draft = draft_of(ask.reply.model_validate(answer), brief, parts.rulebook.blocks)
    option = brief.menu.option(draft.option_id)
    return {f"{found.policy_id}/{found.clause_id}" for found in found_in(draft, brief, option, parts)}


@pytest.mark.parametrize("domain", DOMAINS)
def test_written_copy_conforms_and_a_fault_breaks_its_clause(parts: Any, domain: Domain) -> None:
    for number, view in enumerate(views(domain)[::2]):
        call, ask, brief = asked(view, parts)
        assert broken(written(call, key=f"{number}"), ask, brief, parts) == set()
        clause, text = FAULTS[number % len(FAULTS)]
        assert clause in broken(written(call, key=f"{number}", fault=text), ask, brief, parts)


def test_versions_are_told_apart_and_each_conforms_at_its_rate(parts: Any, tmp_path: Path) -> None:
    shutil.copy(ROOT / "prompts" / "draft.md", tmp_path)
    source = (tmp_path / "draft.md").read_text()
    (tmp_path / "draft@b.md").write_text(source.replace("warm and plain", "short and plain"))
    call, _, _ = asked(views("Dining")[0], parts)
    told = {"draft": call.text, "draft@b": call.text.replace("warm and plain", "short and plain")}
    writer = Writer(tmp_path, {"draft": 0.7, "draft@b": 0.2})
    faults = tuple(text for _, text in FAULTS)
    for version, rate in (("draft", 0.7), ("draft@b", 0.2)):
        messages = [{"role": "user", "content": told[version]}]
        body = {"messages": messages, "response_format": call.body["response_format"]}
        answers = [writer(Call("draft_compose", body, {}, 0.0)) for _ in range(400)]
        passed = sum(not answer["body"].startswith(faults) for answer in answers)
        assert abs(passed / 400 - rate) < 0.08  # 3.5 standard errors


@pytest.mark.parametrize("text", ["draft", "draft=1.5", "judge=0.5", "draft=x"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        rates_of(text)
