"""What the deterministic gate costs for one draft, and what of it is more than running the checks themselves."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from typing import Final, Protocol

from graph.brand import brand_of
from graph.rulebook import Rulebook, load_rulebook
from graph.settings import Settings
from tests.bench.figures import Figure, against, bounded, percentile
from tests.bench.parts import Parts
from tests.members import PROFILE
from tools.cardmembers import Cardmember
from tools.drafts import Copy
from tools.email.message import Mailer, Person
from tools.email.message_checks import message_facts
from tools.offer_terms import terms_from
from tools.policies.case import Case
from tools.policies.clauses import ActiveClause
from tools.policies.gate import Gate
from tools.policies.schema import AttestClause, CelClause, CodeClause, JudgeClause, PatternClause
from tools.report import Stage
from tools.screening import Case as Screened
from tools.screening import Limits, Usage
from tools.signals import read_signals
from tools.slots import FilledCopy, fill
from tools.snapshot import REMEMBERED, Memory
from tools.subject import Scope, Subject
from tools.terms import OfferTerms

AIM_MS: Final = 3.0
DRAFT: Final[tuple[Stage, ...]] = ("member", "terms", "copy")
MESSAGE: Final[tuple[Stage, ...]] = ("message",)
LIMITS: Final = Limits(
    min_confidence=0.7,
    max_offers_per_month=3,
    category_cooldown_days=7,
    decline_cooldown_days=30,
    max_high_value_per_quarter=1,
    high_value_usd=50,
    max_multipliers_per_month=3,
    max_credits_per_year_usd=None,
    min_average_monthly_spend_usd=500,
    min_account_age_days=90,
)


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Check drafts that no cache has seen, one after the other: first with terms met before, then with new ones."""
    settings = parts.settings("postgresql://unused", "http://unused")
    rulebook = load_rulebook(settings)
    drafts = list(islice(_subjects(rulebook, settings), 400 if quick else 2000))
    random.Random(7).shuffle(drafts)  # a run sees drafts of all kinds, not one domain after the other
    size = len(drafts) // 4
    met, new, bare, bare_new = (drafts[first : first + size] for first in range(0, len(drafts), size))
    gate, plain = rulebook.gate, _plain(rulebook.gate)
    gate.check(drafts[-1], stages=(*DRAFT, *MESSAGE))  # compiles what is compiled at the first use
    # Each quarter goes to one of the four, so that none finds another's readings of a text remembered.
    known = [took for drafts in _batches(met) for took in _timed(gate.check, drafts, meet=True)]
    unknown = _timed(gate.check, new)
    plain_known = [took for drafts in _batches(bare) for took in _timed(plain, drafts, meet=True)]
    plain_unknown = _timed(plain, bare_new)
    message = [_ms(lambda: gate.check(subject, stages=MESSAGE)) for subject in new]  # noqa: B023
    bare_message = [_ms(lambda: plain(subject, stages=MESSAGE)) for subject in bare_new]  # noqa: B023
    to = "the same tests as plain closures"
    return (
        bounded("new copy on terms met before, p50", percentile(known, 50), aim=AIM_MS),
        against("the same", percentile(known, 50), percentile(plain_known, 50), to),
        against("new copy on terms met before, p99", percentile(known, 99), percentile(plain_known, 99), f"{to}, p99"),
        against("new copy on terms never met, p50", percentile(unknown, 50), percentile(plain_unknown, 50), to),
        against(
            "new copy on terms never met, p99", percentile(unknown, 99), percentile(plain_unknown, 99), f"{to}, p99"
        ),
        against("its message, p50", percentile(message, 50), percentile(bare_message, 50), to),
    )


class _Check(Protocol):
    def __call__(self, subject: Subject, *, stages: tuple[Stage, ...]) -> object: ...


def _timed(check: _Check, drafts: Sequence[Subject], *, meet: bool = False) -> list[float]:
    """Return the milliseconds of each draft's check; `meet` has their terms checked beforehand, under other copy."""
    if meet:
        for draft in drafts:
            check(replace(draft, text=_OTHER_COPY | {"terms": draft.text["terms"]}, approved={}), stages=DRAFT)
    return [_ms(lambda: check(draft, stages=DRAFT)) for draft in drafts]  # noqa: B023


def _batches(drafts: Sequence[Subject]) -> Iterator[Sequence[Subject]]:
    """Yield as many drafts at a time as a gate has room for the terms of."""
    for first in range(0, len(drafts), _BATCH):
        yield drafts[first : first + _BATCH]


_BATCH: Final = REMEMBERED // 2
_OTHER_COPY: Final = {
    "subject": "Something for your next order",
    "preheader": "The terms are below.",
    "headline": "An offer for you",
    "body": "Read on to see what this offer is for and how to use it.",
    "cta": "See the offer",
}


def _ms(work: Callable[[], object]) -> float:
    started = time.process_time_ns()
    work()
    return (time.process_time_ns() - started) / 1e6


def _plain(gate: Gate) -> _Check:
    """Return the gate's tests as bare calls: no results, evidence, verdict or report, and an error would get out."""

    def one(active: ActiveClause) -> Callable[[Case], bool]:
        clause, when, check, pattern = active.clause, active.when, active.check, active.pattern
        match clause:
            case CelClause() if check is not None:
                if when is None:
                    return lambda case: check.run(case.context)
                return lambda case: not when.run(case.context) or check.run(case.context)
            case PatternClause() if pattern is not None:
                return lambda case: not pattern.run(case.text)
            case CodeClause():
                detector, params = gate.detectors[clause.detector], clause.params
                return lambda case: not detector.run(case.subject, params)
            case AttestClause():
                until = gate.attestations[clause.attested_by].until
                return lambda case: until >= case.subject.send_date
            case JudgeClause():
                # Blocks approved for the clause need no judge: what is left to do is to look their approvals up.
                blocks, approval = gate.blocks, active.approval
                return lambda case: all(approval in blocks.get(block, ()) for block in case.subject.approved.values())
            case _:
                raise TypeError(f"{active.policy_id}/{clause.id}: no plain form of kind {clause.kind}")

    closures: dict[tuple[Scope, tuple[Stage, ...]], list[Callable[[Case], bool]]] = {}

    memory = Memory()

    def check(subject: Subject, *, stages: tuple[Stage, ...]) -> list[bool]:
        key = subject.scope, stages
        if key not in closures:
            closures[key] = [one(clause) for clause in gate.policies.clauses(*key)]
        case = Case(subject, gate.merchant_names, gate.policies.expressions, memory)
        return [closure(case) for closure in closures[key]]

    return check


def _subjects(rulebook: Rulebook, settings: Settings) -> Iterator[Subject]:
    """Yield drafts of every menu with their messages: other days and merchants, so that hardly a text comes twice."""
    mailer = Mailer(brand_of(settings), token_secret=b"benchmark-secret-benchmark-secret", received=rulebook.received)
    today = datetime.now(UTC)
    for turn, ((domain, card_type, strategy), menu) in enumerate(cycle(rulebook.menus.menus.items())):
        option = menu.options[turn // len(rulebook.menus.menus) % len(menu.options)]
        day = (today + timedelta(days=turn % 300)).date()
        merchants = rulebook.catalogue.candidates(
            domain, campaign="bench", view_digest=str(turn), channels={one.channel for one in menu.options}
        )
        terms = terms_from(option, merchants[: 2 + turn % 3], domain=domain, card_type=card_type, send_date=day)
        copy, approved = rulebook.blocks.fallback_copy(
            option, domain=domain, strategy=strategy, card_type=card_type, cohort_hash=str(turn)
        )
        filled = _filled(copy, terms)
        text = rulebook.disclosures.terms_text(terms, issuer=settings.brand_issuer, time_zone="Eastern Time")
        member = Cardmember(f"USER_{turn}", **(PROFILE | {"card_type": card_type.capitalize()}))
        run_id = f"bench-{turn:08}"
        message = mailer.render(
            run_id=run_id, copy=filled, terms=terms, terms_text=text, person=Person(), sent_at=today
        )
        case = Screened(
            member=member,
            signals=read_signals(member, day),
            usage=Usage(),
            limits=LIMITS,
            domain=domain,
            confidence=0.9,
            menu=menu,
            candidates=len(merchants),
            account_standing_attested=True,
            today=day,
        )
        subject = Subject(
            text={str(name): written for name, written in filled.fields().items()} | {"terms": text},
            offer=terms.facts(),
            send_date=day,
            scope=Scope(domain=domain, card_type=card_type, channel=terms.channel, offer_type=terms.offer_type),
            member=case.facts(),
            personal={name: value for name, value in asdict(member).items() if value is not None},
            approved=approved,
        )
        yield replace(subject, message=message_facts(message, mailer.brand, run_id))


def _filled(text: Copy, terms: OfferTerms) -> Copy:
    filled = fill(text, terms)
    assert isinstance(filled, FilledCopy)
    return Copy.model_validate(filled.fields)
