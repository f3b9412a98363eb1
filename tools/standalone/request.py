"""What a stand-alone check is given: copy, the offer it speaks of, and what is known of the member."""

from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from tools.errors import InputInvalid
from tools.merchant_names import fault_of
from tools.vocabulary import CapUnit, Channel

MAX_TEXT: Final = 20_000
"""Characters one field of copy may have: a hundred times what a message holds."""
MAX_NAMES: Final = 100
LARGEST: Final = 1e15

Fault = tuple[tuple[str | int, ...], str]
"""Where something is wrong, as a path of keys, and what."""


class Unreadable(InputInvalid):
    """An object, or the text it should be, can't be checked. `given_id` is its id where that could be read."""

    def __init__(self, faults: tuple[Fault, ...], *, given_id: str | int | None = None) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, place))}: {why}" if place else why for place, why in faults))
        self.faults, self.given_id = faults, given_id


def _id(value: object) -> object:
    if value is None or (isinstance(value, str | int) and not isinstance(value, bool)):
        return value
    raise ValueError("must be text or a whole number")


def _iso(value: str) -> str:
    date.fromisoformat(value)
    return value


def _whole(value: object) -> object:
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        return int(value)
    raise ValueError("must be a whole number")


def _free(value: object) -> object:
    if isinstance(value, str | bool | int | float) or (
        isinstance(value, list) and all(isinstance(item, str) for item in value)
    ):
        return value
    raise ValueError("must be text, a number, true or false, or a list of texts")


def _name(value: str) -> str:
    if fault := fault_of(value):
        raise ValueError(fault)
    return value


def _or_empty(value: object) -> object:
    return {} if value is None else value


def _blank(value: object) -> object:
    return "" if value is None else value


Id = Annotated[Any, AfterValidator(_id), WithJsonSchema({"type": ["string", "integer", "null"]})]
Text = Annotated[str, BeforeValidator(_blank), Field(max_length=MAX_TEXT)]
Day = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", json_schema_extra={"format": "date"}), AfterValidator(_iso)
]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=-LARGEST, lt=LARGEST)]
Count = Annotated[int, BeforeValidator(_whole), Field(gt=-LARGEST, lt=LARGEST)]
Flag = Annotated[bool, Field(strict=True)]
Words = Annotated[str, Field(strict=True, min_length=1, max_length=MAX_TEXT)]
Names = Annotated[list[Words], Field(max_length=MAX_NAMES)]
Merchants = Annotated[list[Annotated[Words, AfterValidator(_name)]], Field(max_length=MAX_NAMES)]
Free = Annotated[Any, AfterValidator(_free), WithJsonSchema({"type": ["string", "number", "boolean", "array"]})]


class CheckText(BaseModel):
    """The copy as its reader sees it, slots filled."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Text = ""
    preheader: Text = ""
    headline: Text = ""
    body: Text = ""
    terms: Text = ""
    cta: Text = ""


class CheckOffer(BaseModel):
    """The offer, whole: a field that is absent or null is a term the offer doesn't have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    offer_type: Words = Field(description="points_multiplier, bonus_points, statement_credit, balance_transfer, ...")
    reward_value: Number | None = Field(description="null where there is no amount, as for exclusive access.")
    reward_unit: Literal["X_points", "points", "usd", "percent", "apr", "none"]
    minimum_spend: Number | None = Field(description="US dollars; null or 0 for none.")
    start_date: Day
    end_date: Day
    base_rate: Number | None = None
    point_value_usd: Number | None = None
    reward_cap: Number | None = None
    reward_cap_unit: CapUnit | None = None
    expiration_days: Count | None = None
    requires_enrollment: Flag | None = None
    channel: Channel | None = None
    merchants: Merchants | None = Field(
        default=None,
        description="Known for this check, in the catalogue or not; names, at most 40 characters and 6 words each.",
    )
    domain: Words | None = None
    fulfillment_weeks: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = None
    exclusions: Names | None = None
    one_per_member: Flag | None = None
    max_redemptions: Count | None = None
    eligible_card_types: Names | None = None
    eligibility_excludes: Free = None
    booking_start: Day | None = None
    apr_kind: Literal["introductory", "promotional"] | None = None
    promo_apr: Number | None = None
    promo_months: Count | None = None
    go_to_apr: Words | None = None
    rates_fees_link: Free = None
    deferred_interest: Flag | None = None
    deferral_months: Count | None = None
    bt_fee_pct: Number | None = None
    bt_fee_min: Number | None = None
    cash_advance_fee_pct: Number | None = None
    cash_advance_fee_min: Number | None = None
    monthly_payment_usd: Number | None = None
    total_of_payments_usd: Number | None = None
    addon_name: Words | None = None
    addon_price_usd_month: Number | None = None
    addon_optional: Flag | None = None
    negative_option: Flag | None = None
    billed_during_trial: Flag | None = None
    selection_required_at_checkout: Flag | None = None
    annual_fee_new_card: Number | None = None
    firm_offer: Flag | None = None
    reward_note: Free = None

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        """Take nulls of free fields away: their validator sees only what is there."""
        if not isinstance(given, dict):
            return given
        free = ("eligibility_excludes", "rates_fees_link", "reward_note")
        return {name: value for name, value in given.items() if value is not None or name not in free}


class CheckMember(BaseModel):
    """What is known of the member. Other fields are columns of the profile: whatever of them shows up is a leak."""

    model_config = ConfigDict(frozen=True, extra="allow")

    card_type: Words | None = None
    annual_fee: Number | None = None
    region: Words | None = None
    email_opt_out: Flag | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:
        """Take empty values away: exports write nulls as empty text."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None and value != ""}


class CheckRequest(BaseModel):
    """One piece of copy to check. Other keys, such as labels and notes, are ignored, and so is `profile_text`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: Id = None
    send_date: Day
    text: CheckText
    offer: CheckOffer
    member: Annotated[CheckMember, BeforeValidator(_or_empty)] = CheckMember()
