"""The `compose` prompt: its examples hold, and a model that follows it to the letter conforms at the first attempt."""

import re
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from graph.assembly import Assembled, assemble, scope_of
from graph.build import build_graph
from graph.case import candidates_of, menu_of
from graph.context import Context
from graph.deps import NEAREST, Deps
from graph.nodes.retrieve_policies import PROSE_CHARACTERS, extracts_of
from graph.rulebook import load_rulebook
from graph.run import decide
from graph.settings import load_settings
from tests.graph.test_revisions import GOOD
from tests.members import add_members
from tests.scripted_model import Call, ScriptedModel
from tests.tools.offer_content import SEND_DATE
from tools.draft_examples import TITLES, Contrast
from tools.drafting import Brief, draft_ask, draft_of
from tools.drafts import Copy, Draft
from tools.policies.schema import JudgeClause
from tools.prompt_budget import BUDGET, tokens
from tools.report import ClauseResult, Violation
from tools.subject import Subject
from tools.terms import MenuOption
from tools.views import MemberView
from tools.vocabulary import CARD_TYPES, DOMAINS, OFFER_TYPES, STRATEGIES, Domain

SHOWN = re.compile(
    r'^(?!Last )(?P<type>[A-Z][a-z]+(?: [a-z]+)?): "(?P<good>.+)"\n(?:Bad \([^)]+\): ".+"\n)?', re.MULTILINE
)
OPTION = re.compile(
    r"^(?P<id>\w+): (?P<label>[^|\n]+?)(?P<only> Only [\w-]+ purchases count\.)?(?: \| without (?P<without>[\w ]+))?$",
    re.MULTILINE,
)
"""How the prompt lists an option; the only thing this reader knows that the prompt's text doesn't say."""


def views(domain: Domain) -> list[MemberView]:
    return [
        MemberView(
            domain=domain, card_type=card_type, strategy=strategy, spend_trend="stable", engagement="high",
            domain_interest="other", tenure_band="new",
        )
        for card_type, strategy in product(CARD_TYPES, STRATEGIES)
    ]  # fmt: skip


def literal_draft(prompt: str, properties: dict[str, Any], option_id: str) -> dict[str, Any]:
    """Return what a model writes that does as the prompt says, with the example of its option's type as it stands."""
    option = next(found for found in OPTION.finditer(prompt) if found["id"] == option_id)
    without = set((option["without"] or "").split())
    examples = {found["type"]: found["good"] for found in SHOWN.finditer(prompt)}
    (body,) = [good for title, good in examples.items() if title.lower() in option["label"]]
    enrolls = "enroll_by" not in without
    if enrolls:
        body = f"Enroll by {{enroll_by}}. {body}"
    if option["only"]:
        body += option["only"]
    for name in without:
        assert f"{{{name}}}" not in body
    draft = {
        "option_id": option_id,
        "merchant_ids": properties["merchant_ids"]["items"]["enum"][:3],
        "subject": quoted(prompt, "subject such as"),
        "preheader": GOOD["preheader"],
        "headline": quoted(prompt, "headline such as"),
        "body": body,
        "cta": quoted(prompt, "cta") if enrolls else quoted(prompt, "else"),
    }
    return {name: draft[name] for name in properties}


def quoted(prompt: str, before: str) -> str:
    found = re.search(rf'{before}\s+"([^"]+)"', prompt)
    assert found is not None, before
    return found[1]


def prompt_for(view: MemberView, brief: Brief, parts: Any) -> tuple[str, dict[str, Any], Any]:
    ask = draft_ask(parts.rulebook.prompts.pick("draft", {}), brief, parts.rulebook.blocks)
    return "\n".join(text for _, text in ask.messages), ask.schema["properties"], ask.reply


@pytest.fixture(scope="module")
def parts() -> Any:
    """All that a draft's prompt and its check are made of: neither database nor index."""
    settings = load_settings(_env_file=None)
    return SimpleNamespace(settings=settings, rulebook=load_rulebook(settings))


def brief_of(view: MemberView, parts: Any) -> Brief:
    menu = menu_of(view, parts)
    near = {policy.id: policy.prose[:PROSE_CHARACTERS] for policy in parts.rulebook.policies.active[:NEAREST]}
    return Brief(
        mode="compose", view=view, menu=menu, candidates=candidates_of(view, menu, "online", parts),
        policies=extracts_of(view, parts, near),
        hypotheses=[hypothesis.text for hypothesis in parts.rulebook.hypotheses.applicable(view)[:3]], violations=(),
        excluded=frozenset(), cohort=view.digest(),
    )  # fmt: skip


def found_in(draft: Draft, brief: Brief, option: MenuOption, parts: Any) -> list[ClauseResult]:
    """Return what the gate finds in a draft, whoever the member is; judges' questions are not asked here."""
    state: Any = {"candidates": brief.candidates, "view": brief.view, "run": SimpleNamespace(send_date=SEND_DATE)}
    offer = assemble(state, draft, option, parts)
    assert isinstance(offer, Assembled), offer
    subject = Subject(
        text={str(name): text for name, text in offer.copy.fields().items()} | {"terms": offer.terms_text},
        offer=offer.terms.facts(),
        send_date=SEND_DATE,
        scope=scope_of(offer.terms, state),
        member={},
        personal={},
        approved={},
    )
    judged = {
        (policy.id, active.clause.id)
        for policy in parts.rulebook.policies.active
        for active in policy.clauses
        if isinstance(active.clause, JudgeClause)
    }
    report = parts.rulebook.gate.check(subject, stages=("terms", "copy"))
    return [
        result
        for result in report.results
        if result.result not in ("pass", "not_applicable") and (result.policy_id, result.clause_id) not in judged
    ]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_model_that_follows_the_prompt_conforms_at_the_first_attempt(parts: Any, domain: Domain) -> None:
    for view in views(domain):
        brief = brief_of(view, parts)
        prompt, properties, reply = prompt_for(view, brief, parts)
        assert tokens(prompt) <= BUDGET["compose"]
        for option in brief.menu.options:
            answer = reply.model_validate(literal_draft(prompt, properties, option.option_id))
            draft = draft_of(answer, brief, parts.rulebook.blocks)
            assert found_in(draft, brief, option, parts) == [], option.option_id


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_prompt_shows_a_contrast_of_every_type_on_its_menu_and_no_other(parts: Any, domain: Domain) -> None:
    examples = parts.rulebook.prompts.pick("draft", {}).header.examples
    assert set(examples) == set(OFFER_TYPES)
    for view in views(domain):
        prompt, *_ = prompt_for(view, brief_of(view, parts), parts)
        offered = {option.offer_type for option in menu_of(view, parts).options}
        for offer_type, contrast in examples.items():
            assert (f'{TITLES[offer_type]}: "{contrast.good}"' in prompt) is (offer_type in offered)
            assert (f'Bad ({contrast.why}): "{contrast.bad}"' in prompt) is (offer_type in offered)


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_bad_example_is_refused_by_the_clause_it_shows(parts: Any, domain: Domain) -> None:
    examples = parts.rulebook.prompts.pick("draft", {}).header.examples
    for view in views(domain):
        brief = brief_of(view, parts)
        for option in brief.menu.options:
            contrast = examples[option.offer_type]
            text = Copy(
                subject=GOOD["subject"], preheader=GOOD["preheader"], headline="Take a look: {offer_value}",
                body=contrast.bad, cta="View offer",
            )  # fmt: skip
            merchants = tuple(merchant.merchant_id for merchant in brief.candidates[:2])
            draft = Draft(source="model", option_id=option.option_id, merchant_ids=merchants, text=text)
            broken = {f"{found.policy_id}/{found.clause_id}" for found in found_in(draft, brief, option, parts)}
            assert contrast.shows in broken, (option.option_id, broken)


def test_static_text_comes_first_and_the_member_last(parts: Any) -> None:
    texts = []
    for view in views("Dining"):
        ask = draft_ask(parts.rulebook.prompts.pick("draft", {}), brief_of(view, parts), parts.rulebook.blocks)
        (_, system), (_, user) = ask.messages
        texts.append(system)
        assert user.splitlines()[-1].startswith("Member: Dining, ")
        assert not [name for name in ("engagement", "tenure", "spend stable", view.strategy) if name in system]
    shared = texts[0][: texts[0].index("Bodies")]
    assert len(shared) > 1_000
    assert all(text.startswith(shared) for text in texts)


def test_a_longer_menu_costs_examples_before_it_costs_briefs(parts: Any) -> None:
    (view,) = [v for v in views("Electronics") if (v.card_type, v.strategy) == ("gold", "persuadable")]
    brief = brief_of(view, parts)
    shown, counts = [], []
    for times in (1, 2, 3, 6):
        options = tuple(
            option.model_copy(update={"option_id": f"{option.option_id}_{number}"})
            for number in range(times)
            for option in brief.menu.options
        )
        longer = replace(brief, menu=brief.menu.model_copy(update={"options": options}))
        prompt, *_ = prompt_for(view, longer, parts)
        assert all(policy.brief in prompt for policy in brief.policies)
        shown.append((prompt.count("\nBad ("), len(SHOWN.findall(prompt))))
        counts.append(tokens(prompt))
    assert shown[0] == (5, 5) and shown[-1] == (0, 0)
    assert shown == sorted(shown, reverse=True)
    assert all(count <= BUDGET["compose"] or held == (0, 0) for count, held in zip(counts, shown, strict=True))


def test_a_redraft_shows_the_examples_of_its_option_alone_and_none_when_no_body_is_asked(parts: Any) -> None:
    (view,) = [v for v in views("Dining") if (v.card_type, v.strategy) == ("gold", "persuadable")]
    brief = brief_of(view, parts)
    option = next(option for option in brief.menu.options if option.offer_type == "cashback")
    prompt, properties, reply = prompt_for(view, brief, parts)
    last = draft_of(
        reply.model_validate(literal_draft(prompt, properties, option.option_id)), brief, parts.rulebook.blocks
    )
    for field, wanted in (("body", ["Cash back"]), ("subject", [])):
        said = Violation(
            policy_id="p", clause_id="c", severity="block", message="m", field=field, quote="", fix_hint="h"
        )
        again, *_ = prompt_for(view, replace(brief, last=last, violations=(said,)), parts)
        assert [found["type"] for found in SHOWN.finditer(again)] == wanted


async def test_such_a_model_issues_each_type_without_a_second_draft(deps: Deps, script: ScriptedModel) -> None:
    composing = build_graph(replace(deps, copy_mode="compose"))
    for domain, offer_type in zip(DOMAINS, OFFER_TYPES, strict=False):  # a domain each: a repeated prompt asks no model
        await add_members(deps.database, f"USER_{offer_type}", card_type="Gold", preferred_domain_1=domain)
        wanted: list[str] = []

        def write(call: Call, offer_type: str = offer_type, wanted: list[str] = wanted) -> dict[str, Any]:
            assert call.schema is not None
            properties, title = call.schema["properties"], TITLES[offer_type].lower()
            wanted += [found["id"] for found in OPTION.finditer(call.text) if title in found["label"]]
            return literal_draft(call.text, properties, wanted[0])

        script.reply("draft_compose", write)
        raw = {"user_id": f"USER_{offer_type}", "domain": domain, "confidence_score": 0.9, "use_llm_insights": False}
        outcome = await decide(raw, composing, Context(mode="issue"), deadline_s=60)
        assert (outcome.recommendation, outcome.copy_source) == ("offer_generated", "model"), outcome.error
        record, *_ = await deps.records.read(outcome.run_id) or ({},)
        terms = record["terms"]
        assert (record["attempts"], terms["offer_type"], terms["option_id"]) == (1, offer_type, wanted[0])


def test_an_example_names_a_clause() -> None:
    with pytest.raises(ValueError, match="shows"):
        Contrast(good="Good.", bad="Bad.", why="rushes", shows="urgency")
