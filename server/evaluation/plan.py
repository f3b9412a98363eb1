"""What an evaluation is to run, how it is named, and whether an unfinished one is the same."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

from graph.deps import Deps
from graph.rulebook import PROMPTS
from server.evaluation.golden import GoldenSet
from server.evaluation.records import Manifest
from tools.errors import InputInvalid
from tools.prompt_files import PromptSet

_NAMED: Final = re.compile(rf"^(?P<name>{'|'.join(PROMPTS)})(?:@(?P<variant>[\w-]+))?\Z")
_OF_THE_PROCESS: Final = frozenset({"eval_id", "started_at", "finished_at"})
"""What differs between two processes that evaluate the same."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the prompts: all plain ones, but for one variant where `asked` names it."""

    asked: str
    variants: dict[str, str]

    @classmethod
    def of(cls, asked: str) -> "Version":
        """Read `draft` or `draft@b`. Raises InputInvalid for what is no prompt's name."""
        named = _NAMED.match(asked)
        if named is None:
            raise InputInvalid(
                f"{asked!r} is no version of a prompt; allowed: {', '.join(PROMPTS)}, each also as NAME@b"
            )
        return cls(asked, {} if named["variant"] is None else {named["name"]: named["variant"]})

    def digests(self, prompts: PromptSet) -> dict[str, str]:
        """Return the digest of each prompt used. Raises InputInvalid for a variant that has no file."""
        try:
            return {name: prompts.pick(name, self.variants).digest for name in PROMPTS}
        except KeyError as error:
            known = ", ".join(prompts.digests)
            raise InputInvalid(f"there is no prompts/{self.asked}.md; allowed: {known}") from error


def is_version(text: str) -> bool:
    """Tell a version's name from an evaluation's id."""
    return _NAMED.match(text) is not None


def planned(version: Version, deps: Deps, golden: GoldenSet, *, cases: int, repeat: int) -> Manifest:
    """Return the manifest of a new evaluation. Raises InputInvalid for an unknown variant."""
    now = datetime.now(UTC)
    name = version.asked.replace("@", "-")
    return Manifest(
        eval_id=f"{now:%Y%m%d-%H%M%S}-{name}-{secrets.token_hex(2)}",
        prompt=version.asked,
        digests=version.digests(deps.rulebook.prompts),
        model=deps.model.name,
        endpoint="embedded" if deps.settings.embedded_model else "configured",
        copy_mode=deps.copy_mode,
        judge_model=None if deps.judge is None else deps.judge.model.name,
        golden_sha=golden.sha,
        policy_set_sha=deps.rulebook.policies.sha,
        setup=setup_of(deps),
        cases=min(cases, len(golden.cases)),
        repeat=repeat,
        started_at=now,
    )


def setup_of(deps: Deps) -> dict[str, str]:
    """Return what else decides about a draft: menus, merchants and approved copy, the endpoint, bounds of a run.

    The endpoint's address is told as a hash: it may hold credentials.
    """
    settings = deps.settings
    address = "" if settings.embedded_model else settings.model_url
    return {
        "files of policies": deps.rulebook.files_sha[:12],
        "address of the endpoint": sha256(address.encode()).hexdigest()[:12],
        "MAX_REVISIONS": str(settings.max_revisions),
        "DRAFT_TOKEN_BUDGET": str(settings.draft_token_budget),
        "RUN_DEADLINE_S": f"{settings.run_deadline_s:g}",
        "LLM_TIMEOUT_S": f"{settings.llm_timeout_s:g}",
    }


def changed(then: Manifest, now: Manifest) -> tuple[str, ...]:
    """Say what of two evaluations differs but their names and times: the digest of which prompt, the model, ..."""
    old, new = (manifest.model_dump(exclude=set(_OF_THE_PROCESS)) for manifest in (then, now))
    old |= {f"prompt {name}": digest for name, digest in old.pop("digests").items()}
    new |= {f"prompt {name}": digest for name, digest in new.pop("digests").items()}
    old |= old.pop("setup")
    new |= new.pop("setup")
    return tuple(f"{name} was {old.get(name)}, is {new.get(name)}" for name in new if old.get(name) != new.get(name))


def unfinished(kept: Iterable[Manifest], wanted: Manifest) -> Manifest | None:
    """Return the latest unfinished evaluation of exactly what is wanted, or None."""
    return next((one for one in kept if one.finished_at is None and not changed(one, wanted)), None)


def resumed(then: Manifest, wanted: Manifest) -> Manifest:
    """Return the evaluation to go on with. Raises InputInvalid, with what changed, when its results would be mixed."""
    if differing := changed(then, wanted):
        raise InputInvalid(
            f"evaluation {then.eval_id} can't go on, since its results would be of two kinds: {'; '.join(differing)}."
            " Put that back, or start a new one without --resume"
        )
    return then


def refuse_unlike(stored: Manifest, wanted: Manifest) -> None:
    """Raise InputInvalid, with the reason, when a stored evaluation can't be compared with one that is to be run."""
    if stored.finished_at is None:
        raise InputInvalid(f"evaluation {stored.eval_id} isn't finished; `offers eval --resume {stored.eval_id}` first")
    for name, what in (("golden_sha", "golden set"), ("policy_set_sha", "policies")):
        then, now = getattr(stored, name), getattr(wanted, name)
        if then != now:
            raise InputInvalid(
                f"evaluation {stored.eval_id} can't be compared with a new one: it is of another {what}"
                f" ({name} {then[:12]}, now {now[:12]}); evaluate {stored.prompt} anew"
            )
