"""The services of an evaluation: the real ones, with invented members, no history, and every completion asked anew."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from graph.deps import Deps, chat_model, open_judge, token_secret
from graph.settings import Attestation, Settings
from server.evaluation.golden import GoldenSet
from tools.ledger.claims import Claim, Claims, Taken
from tools.screening import Hold
from tools.screening_case import Usage
from tools.vocabulary import CopyMode

_INVENTED: Final = Attestation(
    by="built in: members of the golden set are invented, and nothing is sent", until=date.max
)
ATTESTED: Final = {name: _INVENTED for name in ("account_standing", "sender_authentication", "complaint_rate")}
"""What is true of the golden set by construction; else an issuer's members would all be held back here."""


class NoHistory(Claims):
    """A ledger in which no member of the golden set ever got an offer."""

    async def look(self, claim: Claim, decide: Callable[[Usage], tuple[Hold, ...]]) -> Taken:
        """Decide on a member without history; nothing is read."""
        return Taken(Usage(), decide(Usage()))


def evaluation_settings(settings: Settings, *, mode: CopyMode | None = None) -> Settings:
    """Return the settings an evaluation runs under: emails alone, attested where that is true by construction.

    No split: it would draft some cases of a version with another, and the comparison would be of two mixtures.
    """
    changes = {
        "attestations": settings.attestations | ATTESTED,
        "delivery_channels": (),
        "prompt_split": {},
        "reload_prompts": False,
    }
    return settings.model_copy(update=changes | ({} if mode is None else {"copy_mode": mode}))


def evaluation_deps(deps: Deps, golden: GoldenSet) -> Deps:
    """Return the services with the golden set for members. Close its models with `close_models`, the rest with `deps`.

    Reads the token secret's file.
    """
    settings = deps.settings
    model = chat_model(settings, settings.model_name, None, deps.database, usage=deps.usage)
    return replace(
        deps,
        members=golden,
        claims=NoHistory(deps.database, table=settings.cardmember_table, zone=deps.zone),
        model=model,
        judge=open_judge(settings, token_secret(settings), None, deps.database, usage=deps.usage, chat=model),
    )


async def close_models(deps: Deps) -> None:
    """Close the clients that ask anew."""
    await deps.model.aclose()
    if deps.judge is not None and deps.judge.model is not deps.model:
        await deps.judge.model.aclose()
