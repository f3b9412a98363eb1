"""A clause's examples, run as its tests: what is declared violating must violate, what is conforming must not."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from tools.policies.case import Case
from tools.policies.clauses import ActiveClause
from tools.policies.evaluation import Helpers, evaluate
from tools.policies.schema import AttestClause, Example, JudgeClause
from tools.policies.standard import standard_delivery, standard_message, standard_subject
from tools.report import SATISFIED
from tools.subject import DeliveryFacts, Detector, MessageFacts, Mime, MimePart, Subject

Side = Literal["violating", "conforming"]
SIDES: Final[tuple[Side, ...]] = ("violating", "conforming")


class ExampleFails(ValueError):
    """An example came out otherwise than its clause declares."""

    def __init__(self, side: Side, index: int, reason: str) -> None:
        super().__init__(reason)
        self.location = ("examples", side, index)


def run_examples(clause: ActiveClause, detectors: Mapping[str, Detector]) -> list[ExampleFails]:
    """Run a clause's examples and return those that come out otherwise than declared.

    Examples of judge and attest clauses are for people: no code can answer them.
    """
    if isinstance(clause.clause, JudgeClause | AttestClause):
        return []
    failed = []
    helpers = Helpers(detectors)
    for side in SIDES:
        for index, example in enumerate(getattr(clause.clause.examples, side)):
            try:
                subject = subject_of(example, with_message=clause.clause.stage == "message")
            except TypeError as error:
                failed.append(ExampleFails(side, index, str(error)))
                continue
            outcome = evaluate(clause, Case(subject, ()), helpers)
            if outcome.result == "violate" if side == "violating" else outcome.result in SATISFIED:
                continue
            found = "; ".join(f"{item.field}: {item.quote!r}" for item in outcome.evidence)
            because = outcome.error or outcome.why or found
            detail = f" ({because})" if because else ""
            failed.append(
                ExampleFails(
                    side,
                    index,
                    f"this {side} example comes out as {outcome.result}{detail}; correct the clause or the example",
                )
            )
    return failed


def subject_of(example: Example, *, with_message: bool = False) -> Subject:
    """Return the standard conforming subject with the example's parts laid over it.

    Raises:
        TypeError: the example's message has a part that a message hasn't.
    """
    standard = standard_subject()
    text = {**standard.text, **example.text}
    return replace(
        standard,
        text=text,
        offer=_merged(standard.offer, example.offer),
        member=_merged(standard.member, example.member),
        personal=_merged({}, example.personal),
        send_date=example.send_date or standard.send_date,
        message=_message(example.message) if with_message else None,
        delivery=_delivery(text, example.delivery),
    )


def _merged(standard: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in {**standard, **changes}.items() if value is not None}


def _delivery(text: Mapping[str, str], changes: Mapping[Literal["link", "notice", "text"], str]) -> DeliveryFacts:
    own = standard_delivery(text)
    link, notice = changes.get("link", own.link), changes.get("notice", own.notice)
    return replace(own, link=link, notice=notice, text=changes.get("text", own.text))


def _message(changes: Mapping[str, object]) -> MessageFacts:
    standard = standard_message()
    parts: dict[str, Any] = {}
    for name, value in changes.items():
        if name == "pad_html_to_bytes" and isinstance(value, int):
            html = str(parts.get("html", standard.html))
            parts["html"] = f"{html}<!--{' ' * (value - len(html.encode()))}-->"
        elif name in ("add_html", "replace_html") and isinstance(value, str | Mapping):
            parts["html"] = _rewritten(str(parts.get("html", standard.html)), value)
        elif name == "headers" and isinstance(value, Mapping):
            parts[name] = _merged(standard.headers, value)
        elif name == "allowed_hosts" and isinstance(value, list):
            parts[name] = frozenset(map(str, value))
        elif name == "mime" and isinstance(value, Mapping):
            parts[name] = mime_with(standard.mime, value)
        elif isinstance(value, str):
            parts[name] = value
        else:
            raise TypeError(f"message.{name} must be text")
    return replace(standard, **parts)


def _rewritten(html: str, change: str | Mapping[str, object]) -> str:
    """Return the HTML with markup put at the end of its body, or with pieces of it replaced."""
    if isinstance(change, str):
        return html.replace("</body>", f"{change}</body>")
    for old, new in change.items():
        if old not in html:
            raise TypeError(f"message.replace_html: {old!r} is not in the standard message")
        html = html.replace(old, str(new))
    return html


def mime_with(mime: Mime | None, changes: Mapping[str, Any]) -> Mime | None:
    """Return how a mail is put together with these changes laid over; `parts` are mappings of `MimePart` fields.

    Raises:
        TypeError: a change names what a mail's construction hasn't.
    """
    given = dict(changes)
    if "parts" in given:
        given["parts"] = tuple(MimePart(**part) for part in given["parts"])
    if "faults" in given:
        given["faults"] = tuple(map(str, given["faults"]))
    return replace(mime, **given) if mime is not None else None
