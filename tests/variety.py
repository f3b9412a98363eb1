"""How much the copy varies: what the sample population would read, through the drafting nodes themselves.

Every member whom a model could draft for gets a prediction, a second one in another domain, and a repeat in the first
domain as soon as the cooldown allows it. Screening is left out: it only makes fewer offers, of the same cohorts. The
model takes the first of every list, as the embedded one does.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, Final, Literal

from graph.case import candidates_of, menu_of
from graph.nodes.draft import draft
from graph.nodes.fall_back import fall_back
from graph.rulebook import Rulebook
from graph.settings import load_settings
from tools.cardmembers import Cardmember
from tools.chat.calls import Ask
from tools.copy_blocks import Block
from tools.drafts import Draft
from tools.offer_terms import terms_from
from tools.sample import SNAPSHOT, sample_members, sample_predictions
from tools.signals import read_signals
from tools.slots import FilledCopy, fill
from tools.turns import week_of
from tools.views import MemberView
from tools.vocabulary import COPY_FIELDS, DOMAINS, Domain

Drafting = Literal["select", "fallback"]

SENT: Final = SNAPSHOT + timedelta(days=3)
OTHER_DOMAIN: Final = timedelta(days=3)
SAME_DOMAIN: Final = timedelta(days=8)
"""After the cooldown of seven days."""
CAMPAIGN: Final = "online"


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer as drafted: the block of each field, and each field with its slots filled."""

    user_id: str
    domain: Domain
    send_date: date
    offer_type: str
    card_type: str
    blocks: Mapping[str, str]
    text: Mapping[str, str]


class FirstOfEach:
    """A model that answers with the first of everything it may choose from."""

    async def fill(self, ask: Ask[Any], **_: object) -> tuple[Any, None]:
        """Return the first option with the first merchant, headline and button."""
        first = ask.schema["properties"]["choice"]["anyOf"][0]["properties"]
        choice = {
            part: [schema["items"]["enum"][0]] * schema["minItems"] if "items" in schema else schema["enum"][0]
            for part, schema in first.items()
        }
        return ask.reply.model_validate({"choice": choice}), None


def services(rulebook: Rulebook) -> Any:
    """Return what the drafting nodes use of `Deps`."""
    settings = load_settings(_env_file=None, copy_mode="select")
    return SimpleNamespace(rulebook=rulebook, settings=settings, copy_mode="select", model=FirstOfEach())


async def offers_of(rulebook: Rulebook, drafting: Drafting, *, members: int, sent: date = SENT) -> list[Offer]:
    """Return the offers of a sample population, up to three for a member, in the order they are sent."""
    deps = services(rulebook)
    made: dict[tuple[MemberView, int], Draft] = {}
    found: list[Offer] = []
    for member, domain, day in _predicted(members, sent):
        view = read_signals(member, day).view(domain)
        if view is None:
            continue
        key = (view, week_of(day))
        if key not in made:  # a draft is a function of these, as the cache of completions knows
            made[key] = await _drafted(view, key[1], drafting, deps)
        found.append(_offer(member.user_id, view, made[key], day, deps))
    return found


def _predicted(count: int, sent: date) -> Iterator[tuple[Cardmember, Domain, date]]:
    rows = sample_members(count)
    names = [field.name for field in fields(Cardmember) if field.name in rows.columns]
    known = {row["user_id"]: Cardmember(**{n: row[n] for n in names}) for row in rows.iter_rows(named=True)}
    predictions = list(sample_predictions(rows, n=count, seed=11).iter_rows(named=True))
    for after in (timedelta(0), OTHER_DOMAIN, SAME_DOMAIN):
        for index, row in enumerate(predictions):
            first: Domain = row["domain"]
            others = [domain for domain in DOMAINS if domain != first]
            domain = others[index % len(others)] if after == OTHER_DOMAIN else first
            yield known[row["user_id"]], domain, sent + after


async def _drafted(view: MemberView, week: int, drafting: Drafting, deps: Any) -> Draft:
    menu = menu_of(view, deps)
    state: Any = {
        "view": view, "menu": menu, "candidates": candidates_of(view, menu, CAMPAIGN, deps), "week": week,
        "policies": (), "hypotheses": (), "feedback": (), "criticised": (), "draft": None, "attempts": 0,
        "variants": {}, "history": [], "deadline_at": 0.0,
    }  # fmt: skip
    runtime: Any = SimpleNamespace(context=None)
    node = draft if drafting == "select" else fall_back
    made: Draft = (await node(state, runtime, deps=deps))["draft"]
    return made


def _offer(user_id: str, view: MemberView, made: Draft, day: date, deps: Any) -> Offer:
    option = menu_of(view, deps).option(made.option_id)
    assert option is not None and made.block_ids is not None
    merchants = [deps.rulebook.catalogue.get(merchant_id) for merchant_id in made.merchant_ids]
    terms = terms_from(option, merchants, domain=view.domain, card_type=view.card_type, send_date=day)
    filled = fill(made.text, terms)
    assert isinstance(filled, FilledCopy), filled
    return Offer(
        user_id=user_id, domain=view.domain, send_date=day, offer_type=option.offer_type, card_type=view.card_type,
        blocks=dict(made.block_ids), text=filled.fields,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Share:
    """The most used value of something, and its part of a domain's offers."""

    value: str
    count: int
    of: int
    different: int

    @property
    def percent(self) -> float:
        """Of the domain's offers."""
        return 100 * self.count / self.of


def most_used(offers: Sequence[Offer], field: str, *, filled: bool) -> dict[Domain, Share]:
    """Return, by domain, the block (or the text as it was read) that most offers share in a copy field."""
    counts: dict[Domain, Counter[str]] = defaultdict(Counter)
    for offer in offers:
        counts[offer.domain][(offer.text if filled else offer.blocks)[field]] += 1
    return {
        domain: Share(*found.most_common(1)[0], found.total(), len(found)) for domain, found in sorted(counts.items())
    }


def alike(offers: Sequence[Offer], *, opening: Mapping[str, Block]) -> dict[str, list[tuple[Offer, Offer]]]:
    """Return pairs of one member's offers with the same headline, body or first sentence of the body."""
    of_member: dict[str, list[Offer]] = defaultdict(list)
    found: dict[str, list[tuple[Offer, Offer]]] = {"headline": [], "body": [], "opening": []}
    for offer in offers:
        for earlier in of_member[offer.user_id]:
            for field in ("headline", "body"):
                same_block = earlier.blocks[field] == offer.blocks[field]
                if same_block or earlier.text[field] == offer.text[field]:
                    found[field].append((earlier, offer))
            if opening[earlier.blocks["body"]].turn_key == opening[offer.blocks["body"]].turn_key:
                found["opening"].append((earlier, offer))
        of_member[offer.user_id].append(offer)
    return found


def as_read(offer: Offer) -> str:
    """Return an offer's copy as lines of text."""
    where = f"{offer.user_id} | {offer.domain} | {offer.card_type} | {offer.offer_type} | {offer.send_date}"
    return "\n".join((where, *(f"  {field}: {offer.text[field]}" for field in COPY_FIELDS)))
