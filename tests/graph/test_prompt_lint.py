"""Faults planted in copies of the shipped prompts: each is found, at its line, with what to do about it."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from graph.prompt_lint import lint
from graph.rulebook import PROMPTS, Rulebook, load_rulebook
from graph.settings import Settings, load_settings
from tools.errors import PromptInvalid
from tools.prompt_checks import Fault
from tools.prompt_files import lint_files, load_prompts

SHIPPED = Path(__file__).parents[2] / "prompts"
DRAFT, ANALYZE, JUDGE, REPLY = "draft.md", "analyze.md", "judge.md", "shared/reply.md"
GOOD_CREDIT = "good: Spend {minimum_spend} or more"


@dataclass(frozen=True)
class Plant:
    """One change to a file. `at` stands in the line that is told; empty: line 1."""

    code: str
    file: str
    old: str
    new: str
    at: str
    remedy: str
    warning: bool = False


PLANTS = [
    # front matter
    Plant("no-front-matter", DRAFT, "---\nname: draft", "name: draft", "", "begin with a line `---`"),
    Plant("front-matter-yaml", DRAFT, "temperature: 0.4", "temperature: [0.4", "max_tokens:", "correct it there"),
    Plant("missing-key", DRAFT, 'version: "1.4.0"\n', "", "", "add `version: ...`"),
    Plant("unknown-key", DRAFT, "purpose:", "temprature: 1\npurpose:", "temprature", "did you mean 'temperature'?"),
    Plant("temperature-range", DRAFT, "temperature: 0.4", "temperature: 3.5", "3.5", "from 0 to 2"),
    Plant("max-tokens-range", ANALYZE, "max_tokens: 400", "max_tokens: 90000", "90000", "from 1 to 8000"),
    Plant("bad-value", DRAFT, 'version: "1.4.0"', "version: 1.4", "version", 'in quotes: "1.0.0"'),
    Plant("wrong-name", JUDGE, "name: judge", "name: judges", "name: judges", "write 'judge'"),
    Plant("wrong-schema", DRAFT, "[draft_select, draft_compose]", "[draft_select, draft_compos]", "schema:",
          "did you mean 'draft_compose'?"),
    Plant("wrong-schema", DRAFT, "[draft_select, draft_compose]", "draft_select", "schema:", "add draft_compose"),
    Plant("wrong-schema", JUDGE, "schema: judge", "schema: draft_select", "schema:", "allowed: judge"),
    Plant("unknown-key", JUDGE, "schema: judge", "schema: judge\nexamples: {discount: {good: a, bad: b, why: c,"
          " shows: D/e}}", "examples:", "delete them"),
    Plant("bad-example", DRAFT, "shows: PRIV-02/no_surveillance", "shows: surveillance", "shows: surveillance",
          "POLICY/clause"),
    Plant("unknown-key", DRAFT, "    why: no conditions", "    because: no conditions\n    why: none", "because",
          "allowed: bad, good, shows, why"),
    # variables and fields
    Plant("unknown-variable", DRAFT, "variables: [mode,", "variables: [mood, mode,", "mood", "did you mean 'mode'?"),
    Plant("duplicate-variable", DRAFT, "variables: [mode,", "variables: [mode, mode,", "variables:", "delete one"),
    Plant("missing-variable", DRAFT, "ctas, asked", "asked", "variables:", "add ctas to variables"),
    Plant("unused-variable", ANALYZE, "{% for item in catalogue %}\n- {{ item.id }}: {{ item.text }}\n{% endfor %}",
          "none", "variables:", "use it in a section"),
    Plant("unknown-variable", DRAFT, "{% if headlines %}", "{% if headline %}", "{% if headline %}",
          "did you mean 'headlines'?"),
    Plant("protected-field", DRAFT, "account {{ view.tenure_band }}", "aged {{ view.age }}", "view.age", "allowed:"),
    Plant("protected-field", ANALYZE, "card: {{ view.card_type }}", "card: {{ view.card_tpye }}", "card_tpye",
          "did you mean 'card_type'?"),
    Plant("protected-field", ANALYZE, "{{ view.domain }}", '{{ view["credit_limit"] }}', "credit_limit", "allowed:"),
    Plant("protected-field", ANALYZE, "Summary:", "Summary of {{ name }}:", "Summary of", "a field of `view`"),
    Plant("protected-field", DRAFT, "variables: [mode,", "variables: [location, mode,", "variables:", "of `view`"),
    Plant("unknown-field", DRAFT, "{{ option.label }}", "{{ option.lable }}", "lable", "did you mean 'label'?"),
    Plant("unknown-field", DRAFT, "{{ policy.brief }}", "{{ policies[0].breif }}", "breif", "did you mean 'brief'?"),
    Plant("unknown-field", JUDGE, "{{ line }}\n{% endfor %}\nThe copy", "{{ line.text }}\n{% endfor %}\nThe copy",
          "line.text", "allowed: none"),
    # template
    Plant("syntax", DRAFT, "{% if ctas %}", "{% if ctas %", "{% if ctas %", "correct the tag"),
    Plant("syntax", ANALYZE, "{% endfor %}\n{% else %}", "{% else %}", "{% endif %}", "correct the tag"),
    Plant("defined-test", DRAFT, "{% if headlines %}", "{% if header is defined and headlines %}", "is defined",
          "write `{% if name %}`"),
    Plant("unknown-filter", DRAFT, 'asked | join(", ")', "asked | jion", "jion", "did you mean 'join'?"),
    Plant("unknown-filter", DRAFT, "{{ slots }}", '{{ slots | default("") }}', "default", "use it as it is"),
    Plant("unknown-test", DRAFT, "{% if headlines %}", "{% if headlines is filled %}", "is filled", "did you mean"),
    Plant("call", ANALYZE, "category: {{ view.domain }}", "category: {{ view.domain.upper() }}", "upper()",
          "read fields and use filters"),
    Plant("unsupported-tag", ANALYZE, "Summary:", "{% macro m() %}{% endmacro %}Summary:", "macro", "use if, for"),
    Plant("include-escape", DRAFT, "shared/reply.md", "../README.md", "../README.md", "prompts/shared only"),
    Plant("include-escape", DRAFT, "shared/reply.md", "shared/../judge.md", "../judge.md", "prompts/shared only"),
    Plant("include-missing", DRAFT, "shared/reply.md", "shared/repl.md", "repl.md", "did you mean 'shared/reply.md'?"),
    Plant("include-dynamic", DRAFT, '"shared/reply.md"', "mode", "include mode", "write one name"),
    Plant("include-ignore-missing", DRAFT, '"shared/reply.md"', '"shared/reply.md" ignore missing', "ignore missing",
          "must be noticed"),
    Plant("include-cycle", REPLY, "only.\n", 'only.\n{% include "shared/reply.md" %}\n', "include",
          "take one of them out"),
    Plant("include-front-matter", REPLY, "Reply", "---\nname: reply\n---\nReply", "", "text alone"),
    Plant("unknown-variable", REPLY, "JSON only", "JSON only, {{ tone }}", "tone", "allowed:"),
    # sections
    Plant("unknown-section", DRAFT, "# Examples", "# Exmaples", "# Exmaples", "did you mean 'Examples'?"),
    Plant("duplicate-section", ANALYZE, "# Examples", "# System", "# System", "join the two"),
    Plant("missing-section", JUDGE, "# User\n", "", "# System", "`# System`, `# Examples`"),
    Plant("section-order", ANALYZE, "# System\nYou", "# User\nYou", "# Examples", "in this order"),
    Plant("empty-section", JUDGE, "# User\n", "# Examples\n\n# User\n", "# Examples", "or delete it"),
    Plant("text-outside-section", JUDGE, "---\n# System", "---\nBe strict.\n# System", "Be strict", "in this order"),
    # characters
    Plant("byte-order-mark", DRAFT, "---\nname", "\ufeff---\nname", "", "UTF-8 without BOM"),
    Plant("carriage-return", JUDGE, "name: judge\n", "name: judge\r\n", "name: judge", "LF line endings"),
    Plant("control-character", JUDGE, "You check", "You\u200b check", "check marketing", "delete it"),
    Plant("control-character", JUDGE, "- Answer every", "-\tAnswer every", "Answer every", "use spaces"),
    Plant("not-utf8", JUDGE, "You check", "You ch\udce9ck", "You ch", "save it as UTF-8"),
    # wording
    Plant("unknown-slot", DRAFT, "{base_rate} is for points", "{base_rte} is for points", "base_rte",
          "did you mean 'base_rate'?"),
    Plant("unknown-slot", DRAFT, GOOD_CREDIT, "good: Spend {min_spend} or more", "min_spend", "'minimum_spend'?"),
    Plant("fact-in-example", DRAFT, GOOD_CREDIT, "good: Spend $250 or more", "$250", "code owns every number"),
    Plant("fact-in-example", ANALYZE, 'Good: {"text": "Offers', 'Good: {"text": "3 % of offers', "3 % of",
          "write the slot", warning=True),
    Plant("member-fact-early", ANALYZE, "one category may help.", "{{ view.domain }} may help.", "view.domain }} may",
          "end of `# User`", warning=True),
    Plant("static-after-member", ANALYZE, "account is: {{ view.tenure_band }}", "account is: {{ view.tenure_band }}\n"
          "Remember to be plain and kind, and to cite all.", "Remember to be", "move it above", warning=True),
]  # fmt: skip


def planted(plant: Plant, tmp_path: Path) -> tuple[Path, Path, int]:
    """Return a copy of the prompts with the fault in it, the file and the line that should be told."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    path = folder / plant.file
    text = path.read_text(encoding="utf-8")
    assert plant.old in text, "the plant doesn't fit the shipped file any more"
    changed = text.replace(plant.old, plant.new, 1)
    path.write_bytes(changed.encode("utf-8", "surrogateescape"))
    line = changed.replace("\r\n", "\n")[: changed.rindex(plant.at)].count("\n") + 1 if plant.at else 1
    return folder, path, line


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.code}-{plant.file}-{plant.new.strip()[:24]}")
def test_a_planted_fault_is_told_with_file_line_and_remedy(plant: Plant, tmp_path: Path) -> None:
    folder, path, line = planted(plant, tmp_path)
    faults = [fault for fault in lint_files(folder, needed=PROMPTS) if fault.code == plant.code]
    assert (path, line) in [(fault.path, fault.line) for fault in faults], lint_files(folder, needed=PROMPTS)
    fault = next(fault for fault in faults if fault.line == line and plant.remedy in fault.remedy)
    assert (fault.severity == "warning") is plant.warning
    assert str(fault).startswith(f"{path}:{line}:{fault.column} {plant.code} ")
    if plant.warning:
        load_prompts(folder, needed=PROMPTS)
    else:
        with pytest.raises(PromptInvalid) as refused:
            load_prompts(folder, needed=PROMPTS)
        assert refused.value.path.parent in (folder, folder / "shared") and refused.value.line >= 1


def test_all_faults_of_a_file_are_told_not_the_first_alone(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    path = folder / ANALYZE
    text = path.read_text(encoding="utf-8").replace("temperature: 0.2", "temperature: 9").replace("view.", "veiw.")
    path.write_text(text.replace("max_tokens: 400", "max_tokens: none"), encoding="utf-8")
    told = [(fault.code, fault.line) for fault in lint_files(folder, needed=PROMPTS)]
    assert ("temperature-range", 5) in told and ("max-tokens-range", 6) in told
    assert len([code for code, _ in told if code == "unknown-variable"]) == 7


def test_columns_point_at_the_name(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    path = folder / ANALYZE
    path.write_text(path.read_text(encoding="utf-8").replace("view.spend_trend", "view.income"), encoding="utf-8")
    (fault,) = lint_files(folder, needed=PROMPTS)
    row = path.read_text(encoding="utf-8").splitlines()[fault.line - 1]
    assert (fault.code, row[fault.column - 1 :]) == ("protected-field", "income }}")


@pytest.mark.parametrize(
    ("name", "code", "remedy"),
    [
        ("drafts@b.md", "variant-without-base", "draft@b.md"),
        ("draft@base.md", "variant-name", "draft@b.md"),
        ("draft@b c.md", "variant-name", "draft@b.md"),
    ],
)
def test_a_variant_nobody_can_ask_for_is_told(tmp_path: Path, name: str, code: str, remedy: str) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    shutil.copy(folder / DRAFT, folder / name)
    (fault,) = lint_files(folder, needed=PROMPTS)
    assert (fault.path.name, fault.line, fault.code) == (name, 1, code)
    assert remedy in fault.remedy


def test_a_missing_prompt_is_told_and_its_variant_has_no_base(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    (folder / DRAFT).rename(folder / "draft@b.md")
    told = [(fault.path.name, fault.code) for fault in lint_files(folder, needed=PROMPTS)]
    assert told == [("draft.md", "unreadable"), ("draft@b.md", "variant-without-base")]


def test_a_link_out_of_the_shared_folder_is_not_followed(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "prompts"))
    (tmp_path / "secret.md").write_text("TOKEN_SECRET=hush", encoding="utf-8")
    (folder / REPLY).unlink()
    (folder / REPLY).symlink_to(tmp_path / "secret.md")
    told = {(fault.path.name, fault.code) for fault in lint_files(folder, needed=PROMPTS)}
    assert told == {("draft.md", "include-escape"), ("analyze.md", "include-escape")}


# With a gate.


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load_settings(_env_file=None)


@pytest.fixture(scope="module")
def rulebook(settings: Settings) -> Rulebook:
    return load_rulebook(settings, prompted=False)


@pytest.fixture(scope="module")
def told(settings: Settings, rulebook: Rulebook, tmp_path_factory: pytest.TempPathFactory) -> list[Fault]:
    """What the whole lint says of one folder that holds every fault only a gate or a menu can show."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path_factory.mktemp("prompts") / "prompts"))
    text = (folder / DRAFT).read_text(encoding="utf-8")
    start, end = text.index("examples:\n"), text.index("---\n# System")
    examples = """examples:
  statement_credit:
    good: The best card credit anywhere, automatic for you with {merchants} through {expiry_date}.
    bad: Spend {minimum_spend} or more in total with {merchants} by {expiry_date}, and get a {offer_value}.
    why: own facts
    shows: GRD-01/numbers_grounded
  cashback:
    good: Get {base_rate}.
    bad: Get {offer_value}.
    why: nothing
    shows: GRD-99/numbers_grounded
"""
    bare = text[:start] + text[end:]
    (folder / DRAFT).write_text(text[:start] + examples + text[end:], encoding="utf-8")
    missing = '{{ {"persuadable": "say"}[view.strategy] }}'
    (folder / "draft@r.md").write_text(bare.replace("Member: ", f"Member: {missing} "), encoding="utf-8")
    longer = bare.replace("# User\n", "# User\n" + "Say why this offer may help, and say it well. " * 200, 1)
    (folder / "draft@long.md").write_text(longer, encoding="utf-8")
    return lint(folder, rulebook, settings=settings)


@pytest.mark.parametrize(
    ("file", "at", "code", "message", "remedy"),
    [
        (DRAFT, "good: The best", "good-refused", "UDAAP", "every clause lets pass"),
        (DRAFT, "bad: Spend {min", "bad-not-refused", "doesn't break GRD-01/numbers_grounded", "name the clause"),
        (DRAFT, "shows: GRD-99", "unknown-clause", "GRD-99/numbers_grounded", "mean 'GRD-01/numbers_grounded'?"),
        (DRAFT, "good: Get {base", "good-refused", "draft_form/body", "every clause lets pass"),
        ("draft@r.md", "Member: ", "render", "sure_thing", "there in every case"),
        ("draft@long.md", "# System", "over-budget", "select", "cut about"),
    ],
)  # fmt: skip
def test_faults_only_a_gate_or_a_menu_shows(
    told: list[Fault], file: str, at: str, code: str, message: str, remedy: str
) -> None:
    found = [fault for fault in told if (fault.path.name, fault.code) == (file, code)]
    rows = {fault.line: fault for fault in found}
    text = found[0].path.read_text(encoding="utf-8")
    fault = rows[text[: text.index(at)].count("\n") + 1]
    assert message in fault.message
    assert remedy in fault.remedy


def test_the_shipped_prompts_have_no_fault(settings: Settings, rulebook: Rulebook) -> None:
    assert lint(SHIPPED, rulebook, settings=settings) == []


def test_at_least_twenty_five_kinds_are_planted() -> None:
    assert len({plant.code for plant in PLANTS}) >= 30 and len(PLANTS) >= 50
