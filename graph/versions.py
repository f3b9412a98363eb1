"""What decides beside the prediction: rules, prompts, models and templates, named by hash; and what changed since."""

from collections.abc import Mapping
from typing import Any, Final

from graph.deps import Deps

_SHOWN: Final = 12
"""Digits of a hash that are shown."""


def versions_of(
    deps: Deps, *, variants: Mapping[str, str] | None = None, prompts: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return what names all that decides in this process now, as plain JSON.

    `prompts` are the digests of the prompts a run used, by file name, and `variants` its variants; without them every
    prompt there is, is named, variants included.
    """
    rulebook = deps.rulebook
    return {
        "policy_set_sha": rulebook.policies.sha,
        "policy_epoch": rulebook.epoch,
        "rulebook_sha": rulebook.sha,
        "prompts": dict(rulebook.prompts.digests if prompts is None else prompts),
        "model": deps.model.name,
        "judge_model": deps.judge.model.name if deps.judge is not None else None,
        "endpoint": "embedded" if deps.settings.embedded_model else deps.settings.model_url,
        "parameters": rulebook.prompts.parameters(variants or {}),
        "copy_mode": deps.copy_mode,
        "template_sha": deps.mailer.template_sha,
        "mail_sha": deps.mailer.sha,
    }


def changed(recorded: Mapping[str, Any], deps: Deps) -> list[str]:
    """Say in words what decides otherwise now than when `recorded` was taken by `versions_of`; nothing: an empty list.

    A prompt that `recorded` doesn't name may have changed. Of parameters only a prompt's file decides, so that its
    digest speaks for them.
    """
    now = versions_of(deps)
    found = [
        f"{what} changed: {name} was {_shown(recorded.get(name))}, is {_shown(now[name])}"
        for name, what in _WORDS.items()
        if recorded.get(name) != now[name]
    ]
    was: Mapping[str, str] = recorded.get("prompts") or {}
    for name, digest in sorted(was.items()):
        held = now["prompts"].get(name)
        if held != digest:
            found.append(f"the prompt {name} changed: it was {digest}, {f'is {held}' if held else 'it is gone'}")
    if not found and recorded.get("rulebook_sha") != now["rulebook_sha"]:
        was_sha, is_sha = _shown(recorded.get("rulebook_sha")), _shown(now["rulebook_sha"])
        found.append(f"another file of policies or prompts changed: rulebook_sha was {was_sha}, is {is_sha}")
    return found


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = str(value)
    return text[:_SHOWN] if len(text) > 40 and text.isalnum() else text


_WORDS: Final[Mapping[str, str]] = {
    "policy_set_sha": "the policies in force",
    "policy_epoch": "the policies of the database",
    "model": "the model",
    "judge_model": "the judge's model",
    "endpoint": "the endpoint",
    "copy_mode": "how copy is made",
    "template_sha": "the email's template",
    "mail_sha": "what makes an email (template, brand or link key)",
}
