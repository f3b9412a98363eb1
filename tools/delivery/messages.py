"""What a member's device is sent or shown, as the reply carries it. No name and nothing about the member is in it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.delivery.gsm import Encoding
from tools.vocabulary import DeliveryChannel


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PushMessage(_Closed):
    """A notification of the issuer's app; it may show on a locked screen."""

    channel: Literal["push"] = "push"
    title: str
    body: str
    link: str = Field(description="Where a tap leads: the offer's terms, on a host of the brand.")


class SmsMessage(_Closed):
    """A text message as it is sent, whole: issuer, offer, link to the terms, programme notice."""

    channel: Literal["sms"] = "sms"
    text: str
    link: str = Field(description="The link in the text: the offer's terms, on a host of the brand.")
    encoding: Encoding
    segments: int = Field(ge=1, description="Segments a carrier bills: 160 or 153 septets each, 70 or 67 for UCS-2.")


class InAppMessage(_Closed):
    """A card inside the issuer's app, with its terms complete."""

    channel: Literal["in_app"] = "in_app"
    title: str
    body: str
    cta: str
    terms: str
    link: str = Field(description="The same terms on a host of the brand.")


DeliveryMessage = PushMessage | SmsMessage | InAppMessage


class LeftOut(_Closed):
    """A channel the reply doesn't carry. `reason` names the clauses or the missing word, nothing of the member."""

    channel: DeliveryChannel
    reason: str


class Channels(_Closed):
    """The offer in other channels than the email: each has passed every clause in its scope, or is in `left_out`."""

    push: PushMessage | None = None
    sms: SmsMessage | None = None
    in_app: InAppMessage | None = None
    left_out: tuple[LeftOut, ...] = ()
