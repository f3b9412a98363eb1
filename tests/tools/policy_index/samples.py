"""Policies to index."""

from hashlib import sha256

from tools.policy_index import PolicyDocument
from tools.vocabulary import CardType, Channel, Domain


def document(
    policy_id: str,
    prose: str,
    *,
    version: str = "1.0.0",
    domains: tuple[Domain, ...] = (),
    card_types: tuple[CardType, ...] = (),
    channels: tuple[Channel, ...] = (),
) -> PolicyDocument:
    return PolicyDocument(
        policy_id=policy_id,
        version=version,
        sha=sha256(prose.encode()).hexdigest(),
        type="offer",
        prose=prose,
        domains=domains,
        card_types=card_types,
        channels=channels,
    )


DOCUMENTS = (
    document("dining", "# Restaurants\nMeals at enrolled restaurants earn up to four points.", domains=("Dining",)),
    document("travel", "# Flights\nFlights booked direct.\n\n## Hotels\nRooms and stays.", domains=("Travel",)),
    document("frequency", "# How often\nAt most three offers per member and month."),
    document("platinum_only", "# Lounges\nAirport lounge visits for holders.", card_types=("platinum",)),
    document("online_only", "# Web shops\nPurchases made on a web site.", channels=("online_only",)),
)
