"""A past run told from its record alone: what was known, asked, drafted, judged and decided at every step."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from graph.schemas import OfferInput
from graph.state import Delivery, Screening
from graph.trace import Trace
from server.commands.console import plain
from server.commands.story import WORDS, checked, usage
from server.commands.trace_view import attempt_view, calls_table, labelled, reserved
from tools.ledger.decisions import Decision
from tools.report import SATISFIED, ClauseResult, ComplianceReport
from tools.screening import NEVER
from tools.slots import offer_value
from tools.terms import Menu, OfferTerms

SHOWN_EVIDENCE: Final = 3


def run_view(
    found: Decision,
    trace: Trace,
    *,
    unread: Sequence[str] = (),
    files: Sequence[Path] = (),
    clauses: bool = False,
    person: bool = False,
) -> RenderableType:
    """Return every step of a recorded run. It names nobody but by user_id unless `person` asks for it."""
    parts: list[RenderableType] = [Rule(Text(f"run {plain(found.run_id)}", style="bold"), align="left", style="dim")]
    parts += _sections(found, trace, clauses=clauses)
    parts.append(Text("\nrecord", style="bold"))
    parts += _record(found, trace, files, person=person)
    for name in unread:
        parts.append(labelled("not read", f"{name}: another build wrote it in another form; --json shows it"))
    return Group(*parts)


def _sections(found: Decision, trace: Trace, *, clauses: bool) -> Iterator[RenderableType]:
    output = found.record.get("output") or {}
    if trace.prediction is not None:
        yield labelled("prediction", _predicted(trace.prediction, found))
    yield labelled("outcome", _outcome(output, found))
    if trace.screening is not None:
        yield Text("\nscreening", style="bold")
        yield from _screening(trace.screening)
    if trace.view is not None:
        yield Text("\nwhat the model saw", style="bold")
        yield labelled("view", ", ".join(f"{name} {value}" for name, value in trace.view.model_dump().items()))
    if trace.menu is not None:
        yield labelled("menu", _menu(trace.menu))
    if trace.candidates:
        yield labelled("merchants", ", ".join(f"{m.merchant_name} ({m.merchant_id})" for m in trace.candidates))
    if trace.policies:
        yield labelled("policies", ", ".join(trace.policies))
    for hypothesis in trace.hypotheses:
        yield labelled("hypothesis", f"{hypothesis.text} (rests on {', '.join(hypothesis.cites)})")
    for dropped in trace.dropped:
        yield labelled("dropped", dropped)
    if trace.calls:
        yield Text("")
        yield calls_table(trace)
        yield labelled("in all", usage(trace.calls))
    for place, attempt in enumerate(trace.history):
        yield from attempt_view(place, attempt, trace.history[place - 1] if place else None)
    if trace.loop_end is not None:
        yield labelled("loop ended", f"{trace.loop_end.reason.replace('_', ' ')}: {trace.loop_end.detail}")
    if trace.review is not None:
        yield labelled("review", f"a person said: {trace.review}")
    if trace.money is not None or trace.terms is not None:
        yield Text("\nthe offer", style="bold")
    if trace.money is not None:
        yield labelled("money", reserved(trace.money))
    if trace.terms is not None:
        yield labelled("terms", _terms(trace.terms))
    for title, report in (("checked", trace.report), ("message", trace.message_report)):
        if report is not None:
            yield from _report(title, report, clauses=clauses)
    for delivery in trace.deliveries:
        yield from _delivery(delivery, clauses=clauses)
    for note in trace.degraded:
        yield labelled("degraded", note)


def _predicted(prediction: OfferInput, found: Decision) -> str:
    named = (
        ("model", prediction.pred_version),
        ("at", prediction.prediction_timestamp),
        ("key", prediction.idempotency_key),
    )
    extra = "".join(f", {name} {value}" for name, value in named if value is not None)
    flag = "" if prediction.offer_flag else ", no offer is needed"
    return (
        f"{prediction.user_id} in {prediction.domain}, confidence {prediction.confidence_score:g}{flag}{extra};"
        f" campaign {found.campaign}"
    )


def _outcome(output: dict[str, Any], found: Decision) -> Text:
    said = str(output.get("recommendation", ""))
    words = f"held back: {said.removeprefix('suppressed_').replace('_', ' ')}"
    told = Text(words if said.startswith("suppressed_") else plain(WORDS.get(said, said)), style="bold")  # type: ignore[call-overload]
    if output.get("error_code"):
        told.append(plain(f" ({output['error_code']}: {output.get('error') or ''})"))
    if found.held_reason is not None:
        told.append(plain(f"  on hold since: {found.held_reason}"), style="yellow")
    if found.sent_at is not None:
        told.append(f"  sent {found.sent_at:%Y-%m-%d %H:%M} UTC", style="dim")
    return told


def _screening(screening: Screening) -> Iterator[RenderableType]:
    counts = []
    for field in fields(screening.usage):
        value = getattr(screening.usage, field.name)
        told = "never" if value == NEVER else {True: "yes", False: "no"}.get(value, value) if _says(value) else value
        counts.append(f"{field.name.replace('_', ' ')} {'-' if told is None else told}")
    yield labelled("counted", "; ".join(counts))
    if screening.bands:
        yield labelled("bands", "; ".join(f"{name.replace('_', ' ')} {band}" for name, band in screening.bands.items()))
    if screening.quality:
        yield labelled("data quality", "; ".join(screening.quality))
    for reason, detail in screening.holds:
        yield labelled("held back", f"{reason}: {detail}")
    if not screening.holds:
        yield labelled("held back", "by no rule")


def _says(value: object) -> bool:
    return isinstance(value, bool)


def _menu(menu: Menu) -> RenderableType:
    table = Table("option", "offer", "expected cost", "expected to add", box=None, header_style="dim")
    for option in menu.options:
        adds = option.incremental_value_usd
        table.add_row(
            Text(plain(option.option_id)),
            Text(plain(offer_value(option, menu.domain))),
            f"${option.expected_cost_usd:,.2f}",
            "-" if adds is None else f"${adds:,.2f}",
        )
    return table


def _terms(terms: OfferTerms) -> str:
    spend = "" if terms.minimum_spend is None else f", minimum spend ${terms.minimum_spend:,.2f}"
    enrol = "" if terms.enroll_by is None else f", enroll by {terms.enroll_by}"
    names = ", ".join(merchant.merchant_name for merchant in terms.merchants)
    return (
        f"{offer_value(terms, terms.domain)} ({terms.option_id}){spend}, from {terms.start_date} to {terms.end_date}"
        f"{enrol}; at {names}; expected to cost ${terms.expected_cost_usd:,.2f}"
    )


def _report(title: str, report: ComplianceReport, *, clauses: bool) -> Iterator[RenderableType]:
    judge = "" if report.judge == "skipped" else f"; judge: {report.judge.replace('_', ' ')}"
    yield labelled(title, f"{report.verdict}: {checked(report.results)}{judge}")
    shown = report.results if clauses else [item for item in report.results if item.result not in SATISFIED]
    if shown:
        yield _results(shown)


def _results(results: Sequence[ClauseResult]) -> Table:
    table = Table("clause", "kind", "stage", "result", "evidence", box=None, header_style="dim")
    for item in results:
        style = "" if item.result in SATISFIED else "yellow" if item.severity == "warn" else "red"
        seen = [f"{one.field}: {one.quote!r}" if one.quote else one.field for one in item.evidence]
        more = f"; {len(seen) - SHOWN_EVIDENCE} more" if len(seen) > SHOWN_EVIDENCE else ""
        told = "; ".join(seen[:SHOWN_EVIDENCE]) + more + (f" ({item.error_code})" if item.error_code else "")
        name = Text(plain(f"{item.policy_id}/{item.clause_id} {item.policy_version}"), style=style)
        result = Text(f"{item.result}{' (warn)' if item.severity == 'warn' else ''}", style=style)
        table.add_row(name, item.kind, item.stage, result, Text(plain(told)))
    return table


def _delivery(delivery: Delivery, *, clauses: bool) -> Iterator[RenderableType]:
    name = delivery.channel.replace("_", " ")
    if delivery.message is None:
        yield labelled(name, f"left out: {delivery.reason}")
    else:
        said = delivery.message.model_dump(exclude={"channel", "link"}, exclude_none=True)
        yield labelled(name, " | ".join(str(text) for text in said.values()))
    if delivery.report is not None:
        yield from _report(name, delivery.report, clauses=clauses)


def _record(found: Decision, trace: Trace, files: Sequence[Path], *, person: bool) -> Iterator[RenderableType]:
    yield labelled("decided", f"{found.decided_at:%Y-%m-%d %H:%M:%S} UTC")
    for name, value in (found.record.get("versions") or {}).items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {item}" for key, item in value.items())
        yield labelled(name.replace("_", " "), "-" if value is None else str(value))
    yield labelled("email's sha256", str(found.record.get("html_sha256") or "-"))
    if trace.run is not None:
        yield labelled("prediction key", trace.run.prediction_key)
    yield labelled("person", _person(found, person=person))
    if found.issued_at is not None:
        yield labelled("files", "\n".join(map(str, files)) or "none on this machine: sent on, or erased")


def _person(found: Decision, *, person: bool) -> str:
    if found.issued_at is None and not found.person_kept:
        return "nothing kept: no email was made for anyone"
    if not found.person_kept:
        return "erased: a replay greets the fallback name"
    if not person:
        return "first name and address are kept apart from the record; --person shows them"
    return f"{found.first_name or '(no name)'} <{found.email or 'no address'}>"
