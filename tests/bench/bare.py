"""The same offer without a graph: one coroutine that calls the tools in order."""

import time
import uuid
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from graph.deps import Deps
from graph.nodes.retrieve_policies import PROSE_CHARACTERS, extracts_of
from graph.state import PolicyExtract
from tests.bench.parts import Raw
from tools.analysis import analyze_ask, kept_of
from tools.cardmembers import Cardmember
from tools.drafting import Brief, draft_ask, draft_of
from tools.drafts import Copy
from tools.email.message import Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.ledger.claims import ONLINE, Claim, Taken
from tools.ledger.records import Finish, IssuedRow
from tools.offer_terms import terms_from
from tools.screening import Case, Hold, Usage, screen
from tools.signals import read_signals
from tools.slots import FilledCopy, fill
from tools.subject import Scope, Subject
from tools.terms import OfferTerms
from tools.views import MemberView

LEASE_S = 150.0


async def bare_offer(raw: Raw, deps: Deps, *, in_ledger: bool = True) -> bool:
    """Fetch, claim, ask twice, check, render, check and finish; return whether an offer was issued.

    Not `in_ledger` it neither claims nor finishes: the offer is made, and nobody remembers it.
    """
    rulebook, today, started = deps.rulebook, deps.today(), time.time()
    domain, run_id = raw["domain"], uuid.uuid4().hex
    member = await deps.members.load(raw["user_id"])
    assert member is not None
    signals = read_signals(member, today)
    view = signals.view(domain)
    assert view is not None
    menu = rulebook.menus.menu_for(view.domain, view.card_type, view.strategy)
    cohort = f"online\0{view.digest()}"
    candidates = rulebook.catalogue.candidates(
        domain, campaign="online", view_digest=view.digest(), channels={option.channel for option in menu.options}
    )
    case = Case(
        member=member,
        signals=signals,
        usage=Usage(),
        limits=deps.limits(domain),
        domain=domain,
        confidence=raw["confidence_score"],
        menu=menu,
        candidates=len(candidates),
        account_standing_attested=deps.attested("account_standing", today),
        today=today,
    )
    claim = Claim(
        campaign_id=ONLINE,
        prediction_key=sha256(f"{member.user_id}\x1f{domain}\x1f{today}".encode()).hexdigest(),
        user_id=member.user_id,
        domain=domain,
        run_id=run_id,
        lease_s=LEASE_S,
    )

    def decide(usage: Usage) -> tuple[Hold, ...]:
        return screen(replace(case, usage=usage))

    usage, held = Usage(), False
    if in_ledger:
        taken = await deps.claims.claim(claim, decide)
        held = not isinstance(taken, Taken) or bool(taken.holds)
        usage = taken.usage if isinstance(taken, Taken) else usage
    if held or (not in_ledger and decide(usage)):
        return False

    applicable = rulebook.hypotheses.applicable(view)
    ask = analyze_ask(
        rulebook.prompts.pick("analyze", {}), view, mode=deps.copy_mode, applicable=applicable, cohort=cohort
    )
    said, first_call = await deps.model.fill(ask)
    kept = kept_of(said, view, applicable, merchant_names=rulebook.catalogue.names())
    brief = Brief(
        mode=deps.copy_mode,
        view=view,
        menu=menu,
        candidates=candidates,
        policies=await _extracts(view, deps),
        hypotheses=[text for text, _ in kept.hypotheses],
        violations=(),
        excluded=frozenset(),
        cohort=cohort,
    )
    reply, second_call = await deps.model.fill(draft_ask(rulebook.prompts.pick("draft", {}), brief, rulebook.blocks))
    draft = draft_of(reply, brief, rulebook.blocks)

    option = menu.option(draft.option_id)
    assert option is not None
    known = {merchant.merchant_id: merchant for merchant in candidates}
    terms = terms_from(
        option,
        [known[merchant_id] for merchant_id in draft.merchant_ids],
        domain=domain,
        card_type=view.card_type,
        send_date=today,
    )
    copy = _filled(draft.text, terms)
    terms_text = rulebook.disclosures.terms_text(
        terms, issuer=deps.settings.brand_issuer, time_zone=deps.settings.brand_time_zone_name
    )
    subject = Subject(
        text={str(name): text for name, text in copy.fields().items()} | {"terms": terms_text},
        offer=terms.facts(),
        send_date=today,
        scope=Scope(domain=domain, card_type=view.card_type, channel=terms.channel, offer_type=terms.offer_type),
        member=replace(case, usage=usage).facts(),
        personal={name: value for name, value in asdict(member).items() if value is not None},
        approved=draft.block_ids or {},
    )
    report = rulebook.gate.check(subject)
    if report.verdict != "pass":
        return False
    person = _person(member)
    message = deps.mailer.render(
        run_id=run_id,
        copy=_filled(draft.text, terms, first_name=greeting_name(person.first_name)),
        terms=terms,
        terms_text=terms_text,
        person=person,
        sent_at=datetime.fromtimestamp(int(started), UTC),
    )
    facts = message_facts(message, deps.mailer.brand, run_id)
    if rulebook.gate.check(replace(subject, message=facts), stages=("message",)).verdict != "pass":
        return False
    if not in_ledger:
        return True
    return await deps.records.finish(
        Finish(
            campaign_id=ONLINE,
            prediction_key=claim.prediction_key,
            user_id=member.user_id,
            run_id=run_id,
            recommendation="offer_generated",
            close="done",
            record=_record(draft.model_dump(mode="json"), terms, terms_text),
            first_name=person.first_name,
            email=person.email,
            issued=_issued(terms, case, message.html_sha256),
            input_tokens=first_call.input_tokens + second_call.input_tokens,
            output_tokens=first_call.output_tokens + second_call.output_tokens,
        )
    )


async def _extracts(view: MemberView, deps: Deps) -> tuple[PolicyExtract, ...]:
    chunks = await deps.nearest_policies(view)
    return extracts_of(view, deps, {chunk.policy_id: chunk.text[:PROSE_CHARACTERS] for chunk in chunks})


def _filled(text: Copy, terms: OfferTerms, **name: str) -> Copy:
    filled = fill(text, terms, **name)
    assert isinstance(filled, FilledCopy)
    return Copy.model_validate(filled.fields)


def _person(member: Cardmember) -> Person:
    return Person(first_name=greeting_name(member.name), email=member.email)


def _record(draft: dict[str, Any], terms: OfferTerms, terms_text: str) -> dict[str, Any]:
    """Keep the least from which the message can be rendered again."""
    return {"draft": draft, "terms": terms.model_dump(mode="json"), "terms_text": terms_text}


def _issued(terms: OfferTerms, case: Case, html_sha256: str) -> IssuedRow:
    return IssuedRow(
        domain=terms.domain,
        offer_type=terms.offer_type,
        option_id=terms.option_id,
        high_value=float(terms.expected_cost_usd) >= case.limits.high_value_usd,
        credit_usd=(terms.reward_value or Decimal(0)) if terms.offer_type == "statement_credit" else Decimal(0),
        expected_cost_usd=terms.expected_cost_usd,
        start_date=terms.start_date,
        end_date=terms.end_date,
        html_sha256=html_sha256,
    )
