"""The terms of one offer, computed from the chosen option, its merchants and the day it is sent."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from tools.errors import InputInvalid
from tools.merchants import TYPES_OF
from tools.terms import MenuOption, Merchant, OfferTerms
from tools.vocabulary import CardType, Domain

MIN_MERCHANTS: Final = 2
MAX_MERCHANTS: Final = 4


def terms_from(
    option: MenuOption, merchants: Sequence[Merchant], *, domain: Domain, card_type: CardType, send_date: date
) -> OfferTerms:
    """Return the terms of `option` at these merchants for an offer sent on `send_date`.

    The offer starts that day and ends `expiration_days` later; both days count. Enrolment, where it is required, is
    open until `enroll_within_days` after the start, else until the end. Raises InputInvalid unless two to four
    different merchants that sell by the option's channel are given.
    """
    ids = [merchant.merchant_id for merchant in merchants]
    if not MIN_MERCHANTS <= len(ids) <= MAX_MERCHANTS or len(set(ids)) != len(ids):
        raise InputInvalid(f"merchants: {ids}; choose {MIN_MERCHANTS} to {MAX_MERCHANTS} different merchants")
    for merchant in merchants:
        if merchant.merchant_type not in TYPES_OF[option.channel]:
            raise InputInvalid(
                f"merchants: {merchant.merchant_id} sells {merchant.merchant_type}, the option is {option.channel}; "
                "choose merchants of the candidate list"
            )
    end_date = send_date + timedelta(days=option.expiration_days)
    enroll_by = end_date
    if option.enroll_within_days is not None:
        enroll_by = send_date + timedelta(days=option.enroll_within_days)
    return OfferTerms(
        **option.model_dump(exclude={"enroll_within_days"}),
        domain=domain,
        start_date=send_date,
        end_date=end_date,
        enroll_by=enroll_by if option.requires_enrollment else None,
        merchants=tuple(merchants),
        eligible_card_types=(card_type,),
    )
