"""The brand that mail is sent under, from the settings."""

from graph.settings import Settings
from tools.email.brand import Brand


def brand_of(settings: Settings) -> Brand:
    """Return the brand the settings describe."""
    return Brand(
        issuer=settings.brand_issuer,
        sender_name=settings.brand_sender_name,
        sender_address=settings.brand_sender_address,
        reply_to=settings.brand_reply_to,
        postal_address=settings.brand_postal_address,
        offer_url=f"{settings.brand_site}/o/{{token}}",
        preferences_url=f"{settings.brand_site}/preferences/{{token}}",
        unsubscribe_url=f"{settings.brand_site}/unsubscribe/{{token}}",
        privacy_url=f"{settings.brand_site}/privacy",
        allowed_hosts=frozenset(settings.brand_allowed_hosts),
        time_zone=settings.brand_time_zone,
    )
