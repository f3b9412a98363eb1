"""Honest sentences such as our own bodies, terms, messages and conforming examples hold."""

from collections.abc import Mapping
from datetime import date
from typing import Final

from tools.braces import fill_text, slots_in
from tools.slots import join
from tools.subject import Subject

SENTENCES: Final = (
    "Purchases made before you enroll do not count.",
    "Enroll first: purchases you made before you enrolled do not count.",
    "You do not need to enroll.",
    "No enrollment is needed.",
    "First, enroll by {enroll_by}.",
    "You have until {end_date} to spend a total of {minimum_spend} or more.",
    "First, enroll by {enroll_by}. Then spend a total of {minimum_spend} or more on your {card_type} Card.",
    "Then use your {card_type} Card with {merchants}. When you spend {minimum_spend} or more, the offer is yours.",
    "Then use your {card_type} Card with {merchants}.",
    "When you spend {minimum_spend} or more at {merchants}, the offer is yours.",
    "Once you've spent {minimum_spend} at {merchants}, the reward is yours.",
    "You earn {offer_value} per dollar with {merchants}, in place of the usual {base_rate}.",
    "The offer has a cap of {reward_cap}. After that you earn the usual {base_rate}.",
    "There is a cap of {reward_cap}.",
    "Anything beyond that earns the usual {base_rate}.",
    "Please allow {fulfillment} for the reward to post.",
    "The offer starts on {start_date} and ends on {end_date}.",
    "Use it through {end_date}, and see the terms for the rest.",
    "Minimum spend {minimum_spend}.",
    "Terms apply.",
    "See terms.",
    "Limit one offer per cardmember.",
    "This offer does not apply to cash advances, fees, balance transfers, gift cards, prior purchases or returns.",
    "Balance transfers and cash advances do not count.",
    "Gift cards are excluded.",
    "Returns reduce the reward.",
    "If you return a purchase, the reward for it is reversed.",
    "The merchants named here take part in the offer but do not sponsor it.",
    "Only purchases with {merchants} count.",
    "Only online purchases count.",
    "Only restaurants that take part in the offer count.",
    "Book direct with the merchants named here. Blackout dates may apply.",
    "You pay the merchant the full price, and the discount shows on your statement.",
    "This offer was selected from your account activity, not from a credit report.",
    "To stop offer emails from Example Bank, use the unsubscribe link or the preferences link in this email.",
    "Not every night has to be planned.",
    "Once you have booked, the table is yours.",
    "Is there a place you would like to see?",
    "If you like, bring a friend, or don't.",
    "Some things on the list are needed. Some are just nice to have.",
    "There is no rush, and nothing else to do.",
    "Whatever you choose, we hope it helps.",
    "Let someone else do the cooking.",
    "Here is how it works.",
)
"""Slots are filled with the offer's values; a sentence whose slot an offer hasn't is left out for it."""


def sentences_for(subject: Subject) -> tuple[str, ...]:
    """Return the sentences that a subject's offer has the values for, filled."""
    values = _values(subject.offer, subject.scope.card_type)
    return tuple(fill_text(each, values) for each in SENTENCES if slots_in(each) <= values.keys())


def _values(offer: Mapping[str, object], card_type: str) -> dict[str, str]:
    reward, unit, cap_unit = offer.get("reward_value"), offer.get("reward_unit"), offer.get("reward_cap_unit")
    found = {"card_type": card_type.capitalize()}
    if isinstance(reward, int | float):
        forms = {
            "X_points": f"{reward:g}X points",
            "usd": f"${reward:,g} statement credit",
            "percent": f"{reward:g}% back",
        }
        if (form := forms.get(str(unit))) is not None:
            found["offer_value"] = form
    if isinstance(base := offer.get("base_rate"), int | float):
        found["base_rate"] = f"{base:g}X"
    if isinstance(least := offer.get("minimum_spend"), int | float):
        found["minimum_spend"] = f"${least:,g}"
    if isinstance(cap := offer.get("reward_cap"), int | float):
        found["reward_cap"] = f"{cap:,g} points" if cap_unit == "points" else f"${cap:,g}"
        if cap_unit == "usd_spend":
            found["reward_cap"] += " in purchases"
    for name in ("start_date", "end_date", "enroll_by"):
        if isinstance(day := offer.get(name), str) and (name != "enroll_by" or offer.get("requires_enrollment")):
            parsed = date.fromisoformat(day)
            found[name] = f"{parsed:%B} {parsed.day}, {parsed.year}"
    if isinstance(merchants := offer.get("merchants"), list | tuple) and merchants:
        found["merchants"] = join(list(map(str, merchants)), "and")
    if isinstance(weeks := offer.get("fulfillment_weeks"), list | tuple) and len(weeks) == 2:
        found["fulfillment"] = f"{weeks[0]} to {weeks[1]} weeks"
    return found
