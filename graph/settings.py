"""Every setting of OfferGraph: one class, read from the environment and `.env`."""

import json
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from platformdirs import user_data_path
from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tools.embedded.model_file import MODEL_NAME as EMBEDDED_MODEL
from tools.errors import SettingInvalid
from tools.prices import Prices
from tools.variants import named, split_fault
from tools.vocabulary import DELIVERY_CHANNELS, CopyMode, DeliveryChannel

ROOT: Final = Path(__file__).resolve().parent.parent
OPENROUTER_URL: Final = "https://openrouter.ai/api/v1"
NO_JUDGE: Final = "none"
"""Value of JUDGE_MODEL that switches the judge off."""
NO_CHANNELS: Final = "none"
"""Value of DELIVERY_CHANNELS for the email alone."""


class Attestation(BaseModel, frozen=True, extra="forbid"):
    """Who answers, and until when, for a fact no part of the system can see."""

    by: str = Field(min_length=1)
    until: date


class Principal(BaseModel, frozen=True, extra="forbid"):
    """A person who calls with a token of their own. `token_sha256` is the SHA-256 of it in hex, never the token."""

    name: str = Field(min_length=1, max_length=100, pattern=r"^\S[^\x00-\x1f\x7f]*$")
    roles: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z_]*$")], ...] = ()
    token_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


def _empty_is_none(value: Any) -> Any:
    return None if value == "" else value


SYNTHETIC_ATTESTATIONS: Final = {
    "account_standing": Attestation(by="built in: synthetic members of the embedded database", until=date.max),
    "sender_authentication": Attestation(by="built in: the fictional bank of the embedded set-up", until=date.max),
    "complaint_rate": Attestation(by="built in: the embedded set-up sends no mail by itself", until=date.max),
    "push_consent": Attestation(by="built in: synthetic members have no phones, and nothing is sent", until=date.max),
    "sms_consent": Attestation(by="built in: synthetic members have no phones, and nothing is sent", until=date.max),
}
"""What is true of the embedded set-up: invented members, an invented sender, and messages that are only exported."""

OptionalText = Annotated[str | None, BeforeValidator(_empty_is_none)]
OptionalSecret = Annotated[SecretStr | None, BeforeValidator(_empty_is_none)]


class Settings(BaseSettings):
    """The settings, by environment variable of the same name in capitals. The README's table is printed from here."""

    model_config = SettingsConfigDict(env_file=".env", env_file_encoding="utf-8", extra="ignore", frozen=True)

    database_url: OptionalSecret = Field(default=None, description="PostgreSQL to use; unset: an embedded one.")
    cardmember_table: str = Field(
        default="cardmember",
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)?$",
        description="Table of cardmembers, `name` or `schema.name`.",
    )
    database_pool_size: int = Field(default=10, ge=1, le=200, description="Connections per process.")
    llm_base_url: OptionalText = Field(
        default=None,
        pattern=r"^https?://",
        description="OpenAI-compatible endpoint; unset uses OpenRouter (with a key) or the embedded model.",
    )
    openrouter_api_key: OptionalSecret = Field(default=None, description="Bearer token of the endpoint.")
    openrouter_model: OptionalText = Field(default=None, description="Model name at the endpoint.")
    judge_model: OptionalText = Field(
        default=None,
        description="Model that answers judge clauses, at the same endpoint; none: no judge, only copy approved for"
        " them passes; unset: the chat model, or none when that is the embedded one.",
    )
    llm_timeout_s: float = Field(
        default=60, gt=0, le=600, description="Seconds one model call may take, retries included."
    )
    llm_max_concurrency: int = Field(
        default=32,
        ge=1,
        le=2000,
        description="Model calls in flight per process, at most; fewer while the endpoint answers 429.",
    )
    llm_requests_per_minute: int | None = Field(
        default=None,
        ge=1,
        description="Calls a minute that the endpoint allows all processes of DATABASE_URL together.",
    )
    llm_tokens_per_minute: int | None = Field(
        default=None, ge=1, description="Tokens a minute, of prompts and answers, that it allows them together."
    )
    copy_mode: Literal["auto", "select", "compose"] = Field(
        default="auto",
        description="select: the model picks approved blocks; compose: it writes; auto: select when embedded.",
    )
    llm_input_usd_per_million: float | None = Field(
        default=None, ge=0, description="Price of a million input tokens; unset: costs are told in tokens alone."
    )
    llm_cached_usd_per_million: float | None = Field(
        default=None, ge=0, description="Price of a million input tokens the provider had cached; unset: as input."
    )
    llm_output_usd_per_million: float | None = Field(
        default=None, ge=0, description="Price of a million output tokens; unset: costs are told in tokens alone."
    )
    embedding_model: str = Field(
        default="all-MiniLM-L6-v2", min_length=1, description="Sentence-transformers model, or a folder with one."
    )
    chroma_dir: Path | None = Field(default=None, description="Folder of the policy index; unset: DATA_DIR/chroma.")
    chroma_url: OptionalText = Field(
        default=None, pattern=r"^https?://", description="Chroma server to use in place of a folder."
    )
    min_confidence_score: float = Field(default=0.7, ge=0, le=1, description="Predictions below are held back.")
    max_offers_per_month: int = Field(default=3, ge=0, le=31, description="Personalised offers per member and month.")
    max_revisions: int = Field(default=2, ge=0, le=10, description="Times a non-conforming draft is sent back.")
    draft_token_budget: int = Field(
        default=20_000,
        ge=0,
        le=1_000_000,
        description="Tokens one run may take for drafts and their judging; what doesn't fit gets approved copy.",
    )
    run_deadline_s: float = Field(default=120, gt=0, le=3600, description="Seconds one run may take.")
    output_dir: Path = Field(default=Path("output"), description="Where issued offers are exported.")
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("offergraph"),
        description="Folder of the embedded parts, caches and the token secret.",
    )
    prompts_dir: Path = Field(default=ROOT / "prompts", description="Folder of the prompt files.")
    reload_prompts: bool = Field(
        default=False,
        description="Let an edited prompt count from the next run on, issued offers included; for working on prompts.",
    )
    prompt_split: Annotated[dict[str, dict[str, float]], NoDecode] = Field(
        default_factory=dict,
        description='Percent of members per prompt variant, JSON: {"draft": {"b": 20}} gives 20 % prompts/draft@b.md.',
    )
    policies_dir: Path = Field(default=ROOT / "policies", description="Folder of the policies.")
    attestations: Annotated[dict[str, Attestation], NoDecode] = Field(
        default_factory=dict,
        description='Facts people answer for, JSON: {"account_standing": {"by": "A. Officer", "until": "2027-06-30"}}.',
    )
    api_principals: Annotated[tuple[Principal, ...], NoDecode] = Field(
        default=(),
        description="Who may add and approve policies over HTTP, or steer campaigns (role campaigns), JSON:"
        ' [{"name": "A. Officer", "roles": ["compliance"], "token_sha256": "<hex>"}]; none: these are CLI acts.',
    )
    delivery_channels: Annotated[tuple[DeliveryChannel, ...] | None, NoDecode] = Field(
        default=None,
        description="Messages made beside the email: push, sms, in_app, comma-separated, or none; unset: all three with"
        " the embedded database, none with DATABASE_URL. The first two need push_consent, sms_consent in ATTESTATIONS.",
    )
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=9000, ge=0, le=65535, description="Port to listen on.")
    token_secret: OptionalSecret = Field(
        default=None, description="Key of unsubscribe tokens; unset: made once in DATA_DIR."
    )
    brand_issuer: str = Field(default="Example Bank", min_length=1, description="Issuer named in every offer.")
    brand_sender_name: str = Field(
        default="Example Bank Offers", min_length=1, description="Display name of the sender."
    )
    brand_sender_address: str = Field(
        default="offers@mail.examplebank.example", pattern=r"^[^@\s]+@[^@\s]+$", description="From address."
    )
    brand_reply_to: str = Field(
        default="offers@mail.examplebank.example", pattern=r"^[^@\s]+@[^@\s]+$", description="Reply-To address."
    )
    brand_postal_address: str = Field(
        default="Example Bank, 100 Main Street, Wilmington, DE 19801",
        min_length=5,
        description="Postal address in every email.",
    )
    brand_site: str = Field(
        default="https://offers.examplebank.example",
        pattern=r"^https://[^/\s]+$",
        description="Site the email's links point at.",
    )
    brand_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("offers.examplebank.example", "www.examplebank.example"),
        description="Hosts a link may name, comma-separated.",
    )
    brand_time_zone: str = Field(default="America/New_York", description="Time zone of offer dates (IANA name).")

    brand_time_zone_name: str = Field(
        default="Eastern Time", min_length=1, description="The time zone as terms and conditions name it."
    )

    @field_validator("database_url")
    @classmethod
    def _readable(cls, value: SecretStr | None) -> SecretStr | None:
        try:
            conninfo_to_dict("" if value is None else value.get_secret_value())
        except ProgrammingError:  # its text quotes the value
            raise ValueError("allowed: postgresql://user:password@host:port/database, or key=value pairs") from None
        return value

    @field_validator("attestations", mode="before")
    @classmethod
    def _read_attestations(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) and value else (value or {})

    @field_validator("prompt_split", mode="before")
    @classmethod
    def _read_split(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) and value else (value or {})

    @field_validator("prompt_split")
    @classmethod
    def _splits(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        if fault := split_fault(value):
            raise ValueError(fault)
        return value

    @field_validator("api_principals", mode="before")
    @classmethod
    def _read_principals(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) and value else (value or ())

    @field_validator("api_principals")
    @classmethod
    def _apart(cls, value: tuple[Principal, ...]) -> tuple[Principal, ...]:
        for name, given in (
            ("name", [" ".join(principal.name.split()).casefold() for principal in value]),
            ("token_sha256", [principal.token_sha256 for principal in value]),
        ):
            if len(set(given)) < len(given):
                raise ValueError(f"allowed: a {name} of its own for each principal")
        return value

    @field_validator("brand_allowed_hosts", mode="before")
    @classmethod
    def _split_hosts(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("delivery_channels", mode="before")
    @classmethod
    def _split_channels(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = dict.fromkeys(part.strip().casefold() for part in value.split(",") if part.strip())
        if not names:
            return None
        if list(names) == [NO_CHANNELS]:
            return ()
        if unknown := [name for name in names if name not in DELIVERY_CHANNELS]:
            raise ValueError(f"allowed: {', '.join(DELIVERY_CHANNELS)}, comma-separated, or none; not {unknown[0]!r}")
        return tuple(name for name in DELIVERY_CHANNELS if name in names)

    @field_validator("brand_time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError("allowed: an IANA time zone name, for example America/New_York") from error
        return value

    @property
    def embedded_model(self) -> bool:
        """Whether the embedded chat model answers."""
        return self.llm_base_url is None and self.openrouter_api_key is None

    @property
    def model_name(self) -> str:
        """Name of the chat model in use."""
        return EMBEDDED_MODEL if self.embedded_model else (self.openrouter_model or "")

    @property
    def model_url(self) -> str:
        """Base URL of the configured endpoint; OpenRouter's unless another is named."""
        return self.llm_base_url or OPENROUTER_URL

    @property
    def prices(self) -> Prices | None:
        """What the endpoint asks for tokens; None unless prices of input and output are set."""
        given, made = self.llm_input_usd_per_million, self.llm_output_usd_per_million
        if given is None or made is None:
            return None
        cached = self.llm_cached_usd_per_million
        return Prices(input_usd=given, output_usd=made, cached_usd=given if cached is None else cached)

    @property
    def effective_judge_model(self) -> str | None:
        """Name of the model that answers judge clauses; None when nothing does."""
        if self.judge_model is None:
            return None if self.embedded_model else self.model_name
        return None if self.judge_model.casefold() == NO_JUDGE else self.judge_model

    @property
    def effective_copy_mode(self) -> CopyMode:
        """What `auto` means here: a model too small to write only chooses."""
        if self.copy_mode == "auto":
            return "select" if self.embedded_model else "compose"
        return self.copy_mode

    @property
    def effective_delivery_channels(self) -> tuple[DeliveryChannel, ...]:
        """What an offer is made for beside the email; an own database gets only what somebody asked for."""
        if self.delivery_channels is None:
            return () if self.database_url else DELIVERY_CHANNELS
        return self.delivery_channels

    @property
    def chroma_folder(self) -> Path:
        """Folder of the policy index."""
        return self.chroma_dir or self.data_dir / "chroma"

    @property
    def split_names(self) -> tuple[str, ...]:
        """The prompts, by file, that PROMPT_SPLIT gives members: draft@b."""
        return tuple(named(prompt, variant) for prompt, shares in self.prompt_split.items() for variant in shares)

    @property
    def effective_attestations(self) -> dict[str, Attestation]:
        """The attestations; nothing of the embedded database is real, members or sender, so it needs no officer."""
        return self.attestations if self.database_url else SYNTHETIC_ATTESTATIONS | self.attestations


def load_settings(**overrides: Any) -> Settings:
    """Read the settings. Raises SettingInvalid naming each bad setting, its value and what is allowed."""
    try:
        settings = Settings(**overrides)
    except (ValidationError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise SettingInvalid(f"the environment can't be read: {error}") from error
        raise SettingInvalid("\n".join(_explain(item) for item in error.errors())) from None
    if not settings.embedded_model and not settings.openrouter_model:
        raise SettingInvalid(
            "OPENROUTER_MODEL is empty; allowed: the model's name at the endpoint."
            " It is needed with LLM_BASE_URL or OPENROUTER_API_KEY."
        )
    if settings.embedded_model and settings.effective_judge_model not in (None, EMBEDDED_MODEL):
        raise SettingInvalid(
            f"JUDGE_MODEL is {settings.judge_model!r}; allowed here: {NO_JUDGE}, or {EMBEDDED_MODEL}, too small."
            " Any other needs LLM_BASE_URL or OPENROUTER_API_KEY."
        )
    return settings


def handed_over(settings: Settings) -> str:
    """Return the settings as JSON for another process of ours, secrets readable: pass it where nobody else looks."""
    plain = settings.model_dump(mode="json")
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            plain[name] = value.get_secret_value()
    return json.dumps(plain)


def taken_over(text: str) -> Settings:
    """Return the settings another process handed over; this one's environment has no say. Raises SettingInvalid."""
    return load_settings(_env_file=None, **json.loads(text))


def _explain(item: Any) -> str:
    name = ".".join(str(part) for part in item["loc"]).upper()
    field = Settings.model_fields.get(str(item["loc"][0]).lower()) if item["loc"] else None
    # What stands where a token's hash belongs may be the token.
    secret = field is not None and ("SecretStr" in str(field.annotation) or "Principal" in str(field.annotation))
    shown = "a secret" if secret else repr(item["input"])
    meaning = f" {field.description}" if field and field.description else ""
    return f"{name} is {shown}; allowed: {item['msg'].removeprefix('Value error, allowed: ')}.{meaning}"
