"""The services a run uses: built once per process, handed to nodes when the graph is built."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from graph.brand import brand_of
from graph.database import open_database
from graph.policy_texts import loaded_set
from graph.rulebook import Rulebook, load_rulebook
from graph.settings import Settings
from tools.cardmembers import MemberLoader, Members
from tools.chat.completions import CompletionStore
from tools.chat.model import ChatModel, Endpoint
from tools.chat.quota import Quota
from tools.database import Database
from tools.email.message import Mailer
from tools.embedded.model_server import ensure_model_server
from tools.exports import Exporter
from tools.judging import ModelJudge
from tools.ledger.claims import Claims
from tools.ledger.money import Money
from tools.ledger.quotas import Quotas
from tools.ledger.records import Records
from tools.ledger.usage import Usage
from tools.policies.policy_set import PolicySet
from tools.policy_index import PolicyChunk, PolicyDocument, PolicyIndex
from tools.screening import Limits
from tools.subject import Scope
from tools.views import MemberView
from tools.vocabulary import DOMAINS, CardType, CopyMode, Domain, OfferType, Strategy

NEAREST: Final = 2
"""Sections of policy prose a prompt gets beside the briefs."""

EMBEDDED_SLOTS: Final = 2
"""Calls in flight to the embedded model: one per core of a small machine."""


@dataclass(frozen=True, slots=True, repr=False)
class Deps:
    """One process's services under one rulebook. Close with `aclose`.

    When the policies change, `graph.live` makes new ones of the same services; a run keeps those it started with.
    """

    settings: Settings
    rulebook: Rulebook
    database: Database
    members: Members
    claims: Claims
    records: Records
    money: Money
    usage: Usage
    model: ChatModel
    judge: ModelJudge | None
    index: PolicyIndex
    mailer: Mailer
    exporter: Exporter
    zone: ZoneInfo
    copy_mode: CopyMode
    screening: Mapping[Domain, Limits]

    def __repr__(self) -> str:
        """Name the policies and the model: all of it is megabytes, which asyncio writes whenever it shows a task."""
        return f"Deps({self.rulebook!r}, model={self.model.name!r})"

    def today(self) -> date:
        """Return the day in the brand's time zone."""
        return datetime.now(self.zone).date()

    def limits(self, domain: Domain) -> Limits:
        """Return the numbers screening uses in this domain: the stricter of policies and settings."""
        return self.screening[domain]

    def attested(self, name: str, today: date) -> bool:
        """Return whether somebody answers for the fact today."""
        attestation = self.settings.effective_attestations.get(name)
        return attestation is not None and attestation.until >= today

    def unattested(self, today: date) -> tuple[str, ...]:
        """Return the facts beside the accounts' standing that a policy asks a person for and nobody answers for."""
        names = self.rulebook.policies.attested()
        return tuple(sorted(name for name in names - {"account_standing"} if not self.attested(name, today)))

    async def sync_index(self) -> None:
        """Bring the policy index in step with the policies, and ask it all a run may ask. Raises IndexUnavailable.

        Asking now keeps the embedding model, seconds to import, out of every request.
        """
        await self.index.sync(policy_documents(self.rulebook.policies))
        for domain, card_type, strategy in self.rulebook.menus.menus:
            await self._nearest(domain, card_type, strategy)

    async def nearest_policies(self, view: MemberView) -> tuple[PolicyChunk, ...]:
        """Return the policy sections nearest to an offer of this view, of the policies that may apply to it.

        Raises IndexUnavailable, also when the index holds something else than the policies say.
        """
        return await self._nearest(view.domain, view.card_type, view.strategy)

    async def _nearest(self, domain: Domain, card_type: CardType, strategy: Strategy) -> tuple[PolicyChunk, ...]:
        options = self.rulebook.menus.menu_for(domain, card_type, strategy).options
        return await self.index.nearest(
            policy_query(domain, card_type),
            domain=domain,
            card_type=card_type,
            channels={option.channel for option in options},
            offer_types={option.offer_type for option in options},
            k=NEAREST,
        )

    async def aclose(self) -> None:
        """Finish exports, then let go of model, index and database."""
        await self.exporter.aclose()
        await self.claims.aclose()
        await self.model.aclose()
        if self.judge is not None and self.judge.model is not self.model:
            await self.judge.model.aclose()
        await self.usage.aclose()
        await self.index.aclose()
        await self.database.aclose()


async def open_deps(settings: Settings) -> Deps:
    """Read the rulebook and prepare every service; none of them is contacted before its first use.

    Raises PolicyInvalid or PromptInvalid, with file and line, for what can't be enforced as written.
    """
    rulebook = await asyncio.to_thread(load_rulebook, settings)
    secret = await asyncio.to_thread(token_secret, settings)
    database = open_database(settings, policies=loaded_set(rulebook.policies))
    store = CompletionStore(database)
    usage = Usage(database)
    model = chat_model(settings, settings.model_name, store, database, usage=usage)
    zone = ZoneInfo(settings.brand_time_zone)
    return Deps(
        settings=settings,
        rulebook=rulebook,
        database=database,
        members=MemberLoader(database.pool, table=settings.cardmember_table),
        claims=Claims(database, table=settings.cardmember_table, zone=zone),
        records=Records(database, zone=zone),
        money=Money(database, zone=zone),
        usage=usage,
        model=model,
        judge=open_judge(settings, secret, store, database, usage=usage, chat=model),
        index=PolicyIndex(
            chroma_dir=None if settings.chroma_url else settings.chroma_folder,
            chroma_url=settings.chroma_url,
            embedding_model=settings.embedding_model,
            cache_dir=settings.data_dir / "embeddings",
        ),
        mailer=Mailer(brand_of(settings), token_secret=secret, received=rulebook.received),
        exporter=Exporter(settings.output_dir),
        zone=zone,
        copy_mode=settings.effective_copy_mode,
        screening=_screening(rulebook.policies, settings),
    )


def chat_model(
    settings: Settings,
    name: str,
    store: CompletionStore | None,
    database: Database | None = None,
    *,
    usage: Usage | None = None,
) -> ChatModel:
    """Return a client of the configured endpoint for a model of it; without a store each prompt is asked anew.

    The endpoint's quota is kept in the database; who works without one keeps to no quota. With
    a `usage` every try is counted.
    """
    return ChatModel(
        lambda: _locate_model(settings, name),
        store=store,
        name=name,
        timeout_s=settings.llm_timeout_s,
        max_concurrency=settings.llm_max_concurrency,
        quota=_quota(settings, database),
        usage=usage,
    )


def _quota(settings: Settings, database: Database | None) -> Quota | None:
    requests, tokens = settings.llm_requests_per_minute, settings.llm_tokens_per_minute
    if database is None or settings.embedded_model or (requests is None and tokens is None):
        return None
    return Quota(Quotas(database), settings.model_url, requests=requests, tokens=tokens)


def open_judge(
    settings: Settings,
    secret: bytes,
    store: CompletionStore | None,
    database: Database | None = None,
    *,
    usage: Usage | None = None,
    chat: ChatModel | None = None,
) -> ModelJudge | None:
    """Return the judge the settings name, or None; one that is the chat model shares its client and its limits."""
    name = settings.effective_judge_model
    if name is None:
        return None
    model = chat if chat is not None and chat.name == name else chat_model(settings, name, store, database, usage=usage)
    return ModelJudge.of(model, secret=secret)


def with_rulebook(deps: Deps, rulebook: Rulebook) -> Deps:
    """Return the same services under another rulebook."""
    return replace(deps, rulebook=rulebook, screening=_screening(rulebook.policies, deps.settings))


def _screening(policies: PolicySet, settings: Settings) -> dict[Domain, Limits]:
    return {domain: screening_limits(policies, settings, domain) for domain in DOMAINS}


def screening_limits(policies: PolicySet, settings: Settings, domain: Domain) -> Limits:
    """Return the screening limits of a domain: the stricter of policy and setting."""
    scope = Scope(domain=domain)

    def limit(name: str, default: float, offer_type: OfferType | None = None) -> float:
        value = policies.limit(name, replace(scope, offer_type=offer_type))
        return default if value is None else value

    return Limits(
        min_confidence=max(limit("min_confidence_score", 0), settings.min_confidence_score),
        max_offers_per_month=min(
            int(limit("max_offers_per_month", settings.max_offers_per_month)), settings.max_offers_per_month
        ),
        category_cooldown_days=int(limit("min_days_between_category_offers", 7)),
        decline_cooldown_days=int(limit("min_days_after_decline", 30)),
        max_high_value_per_quarter=int(limit("max_high_value_offers_per_quarter", 1)),
        high_value_usd=limit("min_high_value_cost_usd", 50),
        max_multipliers_per_month=int(limit("max_active_multiplier_offers", 3, "points_multiplier")),
        max_credits_per_year_usd=policies.limit("max_credits_per_year_usd", scope),
        min_average_monthly_spend_usd=limit("min_average_monthly_spend_usd", 500),
        min_account_age_days=int(limit("min_account_age_days", 90)),
    )


def policy_query(domain: Domain, card_type: CardType) -> str:
    """Return what the index is asked for an offer; enums alone, so that a process asks few different questions."""
    return f"{domain} offer on a {card_type} card"


def policy_documents(policies: PolicySet) -> list[PolicyDocument]:
    """Return the active policies as the index keeps them: those about emails, which are what is drafted."""
    return [
        PolicyDocument(
            policy_id=policy.id,
            version=policy.front.version,
            sha=policy.sha,
            type=policy.front.type,
            domains=policy.front.scope.domains,
            card_types=policy.front.scope.card_types,
            channels=policy.front.scope.channels,
            offer_types=policy.front.scope.offer_types,
            prose=policy.prose,
        )
        for policy in policies.active
        if policy.scope.has_email
    ]


def token_secret(settings: Settings) -> bytes:
    """Return the key of link tokens: the setting's, or one made once for this data folder."""
    if settings.token_secret is not None:
        return settings.token_secret.get_secret_value().encode()
    path = settings.data_dir / "token-secret"
    path.parent.mkdir(parents=True, exist_ok=True)
    _create_secret(path)
    return bytes.fromhex(path.read_text(encoding="ascii"))


def _create_secret(path: Path) -> None:
    """Write a new secret unless there is one; a link makes the file appear whole, for one process of many."""
    if path.exists():
        return
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    scratch.touch(mode=0o600)
    scratch.write_text(secrets.token_hex(32), encoding="ascii")
    try:
        path.hardlink_to(scratch)
    except FileExistsError:
        return
    finally:
        scratch.unlink()


async def _locate_model(settings: Settings, name: str) -> Endpoint:
    if not settings.embedded_model:
        key, url = settings.openrouter_api_key or SecretStr("none"), settings.model_url
        loopback = urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")
        return Endpoint(base_url=url, model=name, api_key=key, loopback=loopback)
    found = await ensure_model_server(settings.data_dir)
    return Endpoint(
        base_url=found.base_url, model=found.model, api_key=SecretStr("none"), loopback=True, slots=EMBEDDED_SLOTS
    )
