"""Prompt files: their parts and messages, what their digest covers, what a step gives them."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, Field

from tools.errors import PromptInvalid
from tools.prompt_checks.shared import read_shared
from tools.prompt_files import Part, Prompt, load_prompts
from tools.prompt_leaks import Instructions
from tools.prompt_schema import printed
from tools.prompt_steps import Step, listed, record

STEP = Step({"who": record("name"), "items": listed(record("id"))}, ("greet",), member=frozenset({"who"}))
FILE = """---
name: greet
version: "1"
purpose: Greets.
temperature: 0
max_tokens: 10
variables: [who, items]
schema: greet
---
# System
Be brief with everyone who reads this.
{% include "shared/reply.md" %}
Then stop.

# Examples
{% for item in items %}
Say: {{ item.id }}
{% endfor %}

# User
Hello {{ who.name }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "reply.md").write_text("Reply with a single JSON object only.\n", encoding="utf-8")
    (tmp_path / "greet.md").write_text(FILE, encoding="utf-8")
    return tmp_path


def load(folder: Path, name: str = "greet", step: Step = STEP) -> Prompt:
    return load_prompts(folder, needed={"greet": step}).named(name)


def test_examples_follow_the_system_text_in_its_message(folder: Path) -> None:
    variables = {"who": {"name": "Ann"}, "items": [{"id": "one"}, {"id": "two"}]}
    system = "Be brief with everyone who reads this.\nReply with a single JSON object only.\nThen stop."
    parts = load(folder).parts(variables)
    assert parts == (
        Part("system", "system", system),
        Part("examples", "system", "Say: one\nSay: two"),
        Part("user", "user", "Hello Ann"),
    )
    assert load(folder).render(variables) == [("system", f"{system}\n\nSay: one\nSay: two"), ("user", "Hello Ann")]


def test_examples_that_come_out_empty_leave_no_trace(folder: Path) -> None:
    prompt = load(folder)
    parts = prompt.parts({"who": {"name": "Ann"}, "items": []})
    assert [part.name for part in parts] == ["system", "user"]
    assert prompt.render({"who": {"name": "Ann"}, "items": []})[0][1].endswith("Then stop.")


def test_the_digest_covers_what_is_included_and_nothing_else(folder: Path) -> None:
    before = load(folder).digest
    (folder / "shared" / "other.md").write_text("Not included.\n", encoding="utf-8")
    assert load(folder).digest == before
    (folder / "shared" / "reply.md").write_text("Reply with a single JSON object.\n", encoding="utf-8")
    assert load(folder).digest != before


def test_a_loaded_prompt_doesnt_change_with_its_files(folder: Path) -> None:
    prompt = load(folder)
    (folder / "shared" / "reply.md").write_text("Reply in verse.\n", encoding="utf-8")
    assert "verse" not in prompt.render({"who": {"name": "Ann"}, "items": []})[0][1]


def test_what_is_included_and_the_examples_are_instructions_that_no_draft_may_recite(folder: Path) -> None:
    path = folder / "greet.md"
    path.write_text(FILE.replace("Say: {{", "Write in the style of a friend: {{"), encoding="utf-8")
    told = Instructions.of(load_prompts(folder, needed={"greet": STEP}).texts, sayable=[])
    for text in (
        "reply with a single JSON object only",
        "write in the style of a friend",
        "brief with everyone who reads",
    ):
        assert told.recited({"body": f"Dear reader, {text}."}), text


@pytest.mark.parametrize(
    ("variables", "line"),
    [({"who": {}, "items": []}, 21), ({"who": {"name": "Ann"}, "items": [{"id": 1}, {}]}, 17)],
)
def test_a_value_that_is_missing_is_told_with_its_line(folder: Path, variables: dict[str, Any], line: int) -> None:
    with pytest.raises(PromptInvalid) as refused:
        load(folder).parts(variables)
    assert (refused.value.path, refused.value.line) == (folder / "greet.md", line)


def test_variables_are_exactly_those_declared(folder: Path) -> None:
    for wrong in ({"who": {}}, {"who": {}, "items": [], "age": 3}):
        with pytest.raises(PromptInvalid, match=r"missing or unknown at rendering: (items|age)$"):
            load(folder).parts(wrong)


def test_the_schema_of_the_answer_is_there_for_a_prompt_that_wants_it(folder: Path) -> None:
    given = {"who": {"name": "Ann"}, "items": [], "reply_schema": {"enum": ["a", "b"]}}
    assert load(folder).render(given)[1] == ("user", "Hello Ann")
    text = FILE.replace("[who, items]", "[who, items, reply_schema]") + "Answer: {{ reply_schema | schema }}\n"
    (folder / "greet.md").write_text(text, encoding="utf-8")
    assert load(folder).render(given)[1] == ("user", 'Hello Ann\nAnswer: "a" | "b"')


def test_a_file_says_what_its_step_answers_with(folder: Path) -> None:
    assert load(folder).header.schemas == ("greet",)
    with pytest.raises(PromptInvalid, match=r"greet\.md:8: 'greet' is no schema the step sends; allowed: hail"):
        load(folder, step=Step(STEP.variables, ("hail",), STEP.member))


def test_a_chain_of_includes_is_read_and_a_circle_is_refused(folder: Path) -> None:
    shared = folder / "shared"
    (shared / "reply.md").write_text('{% include "shared/form.md" %}\n', encoding="utf-8")
    (shared / "form.md").write_text("One line.\n", encoding="utf-8")
    prompt = load(folder)
    assert [name for name, _ in prompt.shared] == ["shared/form.md", "shared/reply.md"]
    assert "One line.\nThen stop." in prompt.render({"who": {"name": "Ann"}, "items": []})[0][1]
    (shared / "form.md").write_text('{% include "shared/reply.md" %}\n', encoding="utf-8")
    with pytest.raises(
        PromptInvalid, match=r"form\.md:1: includes itself: shared/reply\.md -> shared/form\.md -> shared"
    ):
        load(folder)


def test_a_variant_has_a_name_and_a_digest_of_its_own(folder: Path) -> None:
    shutil.copy(folder / "greet.md", folder / "greet@b.md")
    (folder / "greet@b.md").write_text(FILE.replace("Hello", "Hi"), encoding="utf-8")
    prompts = load_prompts(folder, needed={"greet": STEP}, split=["greet@b"])
    assert prompts.pick("greet", {}).name == prompts.pick("greet", {"greet": "base"}).name == "greet"
    assert prompts.used({"greet": "b"}) == {"greet@b": prompts.digests["greet@b"]}
    assert prompts.used({}) == {"greet": prompts.digests["greet"]} != prompts.used({"greet": "b"})
    assert list(prompts.parameters({"greet": "b"})) == ["greet@b"]
    assert prompts.pick("greet", {"greet": "b"}).render({"who": {"name": "Ann"}, "items": []})[1] == ("user", "Hi Ann")


def test_a_split_on_a_variant_without_a_file_stops_the_start(folder: Path) -> None:
    with pytest.raises(PromptInvalid, match=r"greet@z\.md:1: PROMPT_SPLIT gives greet@z a share.*known: greet$"):
        load_prompts(folder, needed={"greet": STEP}, split=["greet@z"])


def test_templates_have_no_functions_chance_or_defaults(folder: Path) -> None:
    for text in (
        "{{ range(3) }}",
        "{{ items | random }}",
        "{{ who | attr('name') }}",
        "{{ lipsum() }}",
        "{{ dict() }}",
    ):
        (folder / "greet.md").write_text(FILE + text, encoding="utf-8")
        with pytest.raises(PromptInvalid, match=r"greet\.md:22: "):
            load(folder)


def test_a_folder_needs_no_shared_texts(tmp_path: Path) -> None:
    assert read_shared(tmp_path).texts == {}


class Choice(BaseModel):
    option: str = Field(max_length=9)
    marks: list[int] = []


class Reply(BaseModel):
    choice: Choice
    note: str | None = None


def test_a_schema_is_printed_on_one_line() -> None:
    assert printed(Reply) == (
        '{"choice": {"option": string (at most 9 characters), "marks"?: [integer, ...]}, "note"?: string | null}'
    )
    ids = {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "maxItems": 4, "uniqueItems": True}
    form = {"type": "object", "properties": {"ids": ids, "kind": {"const": "x"}}, "required": ["ids", "kind"]}
    assert printed(form) == '{"ids": ["a" | "b", ...] (2 to 4 items, none twice), "kind": "x"}'
    assert printed({"anyOf": [form, TEXT_SCHEMA]}) == f"{printed(form)} | string"


TEXT_SCHEMA = {"type": "string"}
