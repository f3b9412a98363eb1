"""The prompts of one run: those in force when it began, to its end.

A run that paused (Studio) may go on in a process whose prompts were edited meanwhile. The state names each prompt by
its digest; the rulebook holds those that edits displaced.
"""

from collections.abc import Mapping
from typing import Any

from graph.deps import Deps
from graph.rulebook import PROMPTS
from tools.errors import InputInvalid
from tools.prompt_files import Prompt
from tools.variants import named


def prompt_of(step: str, state: Mapping[str, Any], deps: Deps) -> Prompt:
    """Return the prompt of a step in this run; one whose digest the state doesn't name is as it is now.

    Raises InputInvalid when the run began under a version that this process doesn't hold any more.
    """
    name, rulebook = named(step, state["variants"].get(step)), deps.rulebook
    digest = state.get("prompts", {}).get(name)
    now = rulebook.prompts.digests.get(name)
    if now is not None and digest in (None, now):
        return rulebook.prompts.named(name)
    if (displaced := rulebook.displaced.get(digest or "")) is not None:
        return displaced.prompt
    raise InputInvalid(
        f"prompts.{name} is {digest!r}: the run began with a version of prompts/{name}.md that is not held any more"
        f" (now {now or 'deleted'}); start it again, or take {name} out of the state's `prompts` to use the file"
    )


def prompts_used(state: Mapping[str, Any], deps: Deps) -> dict[str, str]:
    """Return the digest of each step's prompt in this run, by the name of the file it really used."""
    pinned, now = state.get("prompts", {}), deps.rulebook.prompts.digests
    names = (named(step, state.get("variants", {}).get(step)) for step in PROMPTS)
    return {name: digest for name in names if (digest := pinned.get(name) or now.get(name)) is not None}


def recited(fields: Mapping[str, str], state: Mapping[str, Any], deps: Deps) -> tuple[tuple[str, str], ...]:
    """Return (field, words) where copy repeats what models are told, in this run or by the prompts as they are now."""
    rulebook = deps.rulebook
    found = dict(rulebook.instructions.recited(fields))
    for digest in state.get("prompts", {}).values():
        if (displaced := rulebook.displaced.get(digest)) is not None:
            found = dict(displaced.instructions.recited(fields)) | found
    return tuple(found.items())
