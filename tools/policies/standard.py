"""The standard conforming subject: honest copy for a plain offer, from which every example of a clause departs."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from tools.delivery.links import terms_link
from tools.subject import DeliveryFacts, MessageFacts, Mime, MimePart, Scope, Subject

SEND_DATE: Final = date(2026, 11, 23)
_OFFER: Final[dict[str, object]] = {
    "offer_type": "points_multiplier",
    "reward_value": 3.0,
    "reward_unit": "X_points",
    "base_rate": 1.0,
    "point_value_usd": 0.01,
    "minimum_spend": 50.0,
    "reward_cap": 1500.0,
    "reward_cap_unit": "usd_spend",
    "start_date": "2026-11-23",
    "end_date": "2027-01-06",
    "enroll_by": "2026-12-07",
    "expiration_days": 45,
    "requires_enrollment": True,
    "channel": "any",
    "domain": "Dining",
    "merchants": ["Olive Garden", "Panera Bread"],
    "merchant_ids": ["MERCH_OLIVE_504", "MERCH_PANERA_603"],
    "eligible_card_types": ["gold", "platinum"],
    "exclusions": ["cash advances", "fees", "balance transfers", "gift cards", "prior purchases", "returns"],
    "one_per_member": True,
    "fulfillment_weeks": [6, 8],
    "expected_cost_usd": 9.5,
}
_TEXT: Final = {
    "subject": "3X points at Olive Garden and Panera Bread",
    "preheader": "Enroll by December 7, 2026. Minimum spend $50. Terms apply.",
    "headline": "Earn 3X points on Dining",
    "body": (
        "Hi Cardmember, enroll by December 7, 2026, then earn 3X points instead of 1X at Olive Garden and Panera Bread "
        "from November 23, 2026 through January 6, 2027. A minimum spend of $50 applies, on up to $1,500 in purchases. "
        "One per member. Allow 6 to 8 weeks for points to post."
    ),
    "cta": "Enroll now",
    "terms": (
        "This offer is made by Example Bank. Enrollment required by December 7, 2026. Valid from November 23, 2026 "
        "through January 6, 2027 at Olive Garden and Panera Bread. Earn 3X points instead of 1X after a minimum spend "
        "of $50, on up to $1,500 in purchases. "
        "One per member. Eligible cards: Gold, Platinum. Excluded: cash advances, fees, balance transfers, gift cards, "
        "prior purchases, returns. Allow 6 to 8 weeks for points to post."
    ),
}
_MEMBER: Final[dict[str, object]] = {
    "card_type": "gold",
    "annual_fee": 250.0,
    "region": "US-WEST",
    "opt_in_marketing": True,
    "email_opt_out": False,
    "offers_this_month": 1,
    "max_offers_per_month": 3,
    "days_since_category_offer": 31,
    "days_since_category_decline": 99_999,
    "high_value_offers_quarter": 0,
    "active_multiplier_offers": 0,
    "credits_this_year_usd": 0.0,
    "average_monthly_spend_usd": 1200.0,
    "account_age_days": 900,
    "confidence_score": 0.9,
    "min_confidence_score": 0.7,
    "offer_flag": 1,
}
_ADDRESS: Final = "Example Bank, 100 Main Street, Wilmington, DE 19801"
_UNSUBSCRIBE: Final = "https://offers.examplebank.example/unsubscribe/standard"
_OFFER_PAGE: Final = "https://offers.examplebank.example/e/standard"
_NOTICE: Final = "Msg & data rates may apply. Reply STOP to end, HELP for help."
_FOOTER: Final = "This is an advertisement from Example Bank."


def standard_subject() -> Subject:
    """Return the subject examples start from: a Dining offer for a Gold card that no clause has anything against."""
    scope = Scope(domain="Dining", card_type="gold", channel="any", offer_type="points_multiplier")
    return Subject(text=dict(_TEXT), offer=dict(_OFFER), send_date=SEND_DATE, scope=scope, member=dict(_MEMBER))


def standard_delivery(text: Mapping[str, str]) -> DeliveryFacts:
    """Return what a text message of this copy holds beside it."""
    link = terms_link("https://offers.examplebank.example", text["terms"])
    hosts = frozenset({"offers.examplebank.example", "www.examplebank.example"})
    whole = f"{text['body']} {link} {_NOTICE}"
    return DeliveryFacts(link=link, issuer="Example Bank", allowed_hosts=hosts, text=whole, notice=_NOTICE)


def standard_message() -> MessageFacts:
    """Return the message of the standard subject: small, accessible, with every header and line an email needs."""
    paragraphs = "".join(f'<p style="{_STYLE}">{_TEXT[name]}</p>' for name in ("body", "terms"))
    html = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{_TEXT['subject']}</title>"
        f"<style>@media (prefers-color-scheme: dark) {{ {_DARK} }}</style></head>"
        f'<body style="{_STYLE}"><div style="display:none">{_TEXT["preheader"]}</div>'
        f'<h1 style="{_STYLE}">{_TEXT["headline"]}</h1>{paragraphs}'
        f'<p style="{_STYLE}"><a style="color:#0b4f8a" href="{_OFFER_PAGE}">'
        f"{_TEXT['cta']}</a></p>"
        f'<p style="{_STYLE}">{_FOOTER} {_ADDRESS} '
        f'<a style="color:#0b4f8a" href="{_UNSUBSCRIBE}">Unsubscribe</a></p></body></html>'
    )
    written = [*(_TEXT[name] for name in ("headline", "body", "cta")), _OFFER_PAGE, _TEXT["terms"]]
    return MessageFacts(
        html=html,
        text="\n\n".join([*written, _FOOTER, _ADDRESS, f"Unsubscribe: {_UNSUBSCRIBE}"]),
        headers={
            "From": "Example Bank Offers <offers@mail.examplebank.example>",
            "Reply-To": "offers@mail.examplebank.example",
            "Subject": _TEXT["subject"],
            "Date": "Mon, 23 Nov 2026 14:00:00 +0000",
            "Message-ID": "<standard@mail.examplebank.example>",
            "MIME-Version": "1.0",
            "Content-Type": "multipart/alternative",
            "Feedback-ID": "standard:dining:email:examplebank",
            "List-Unsubscribe": f"<{_UNSUBSCRIBE}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        unsubscribe_url=_UNSUBSCRIBE,
        postal_address=_ADDRESS,
        issuer="Example Bank",
        allowed_hosts=frozenset({"offers.examplebank.example", "www.examplebank.example"}),
        mime=Mime(
            kind="multipart/alternative",
            parts=(
                MimePart("text/plain", "utf-8", "quoted-printable"),
                MimePart("text/html", "utf-8", "quoted-printable"),
            ),
            longest_line=76,
            longest_at=20,
        ),
    )


_STYLE: Final = "font-family:Arial,sans-serif;font-size:16px;color:#1c1c28;background-color:#ffffff"
_DARK: Final = (
    "body, p, h1 { color: #f2f2f7 !important; background-color: #12121a !important; } a { color: #9ecbff !important; }"
)
