"""An outcome told for people: what was predicted, screened, analysed, offered, checked and written."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from graph.schemas import IssuedOffer, OfferOutput, Recommendation
from graph.state import Attempt
from graph.trace import Trace
from server.commands.console import plain
from tools.chat.calls import ModelCall
from tools.delivery.messages import Channels
from tools.report import ClauseResult

WORDS: Final[dict[Recommendation, str]] = {
    "offer_generated": "an offer",
    "no_offer_needed": "no offer needed: the prediction says so (offer_flag 0)",
    "user_not_found": "no such cardmember",
    "generation_failed": "no offer: nothing that could be sent passed every check",
    "error": "not decided",
    "pending_review": "waits for a person's approval",
}
SOURCES: Final = {
    "model": "written by the model",
    "blocks": "approved blocks, chosen by the model",
    "fallback": "approved blocks, chosen by code",
    "human": "edited by a person",
}
RESULTS: Final = ("pass", "approved", "attested", "not_applicable", "unknown", "violate")


def story(output: OfferOutput, *, trace: Trace | None, files: Sequence[Path] = (), title: str = "") -> RenderableType:
    """Return the whole story of one prediction."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold cyan", no_wrap=True, min_width=10)
    grid.add_column(ratio=1)
    for label, told in _rows(output, trace, files):
        grid.add_row(label, told)
    head = Text.assemble((f"{title}  " if title else ""), (plain(output.user_id) or "(no user_id)", "bold"))
    return Group(Rule(head, align="left", style="dim"), grid)


def _rows(output: OfferOutput, trace: Trace | None, files: Sequence[Path]) -> Iterator[tuple[str, RenderableType]]:
    yield "outcome", _outcome(output)
    if output.ml_recommendation:
        yield "predicted", _predicted(output)
    if output.suppression is not None:
        yield (
            "budget" if output.suppression.reason == "budget_exhausted" else "screened",
            _lines(output.suppression.detail),
        )
    elif output.behavioral_analysis is not None:
        yield "screened", _text("no rule held the member back")
    if output.error:
        yield "note" if output.success else "why", _text(output.error)
    if output.behavioral_analysis is not None:
        yield "analysed", _lines(output.behavioral_analysis.insights)
    if output.offer is not None:
        yield from _offer_rows(output, output.offer, trace)
    if output.channels is not None:
        yield from _channel_rows(output.channels)
    if trace is not None:
        yield from _work_rows(trace)
    if files:
        yield "files", _files(files)
    if output.run_id:
        yield "run", Text(output.run_id, style="dim")


def _outcome(output: OfferOutput) -> Text:
    held = output.recommendation.startswith("suppressed_")
    words = f"held back: {output.recommendation.removeprefix('suppressed_').replace('_', ' ')}" if held else ""
    style = "bold green" if output.success else "bold yellow" if held or output.error_code is None else "bold red"
    told = Text(words or WORDS.get(output.recommendation, output.recommendation), style=style)
    if output.error_code:
        told.append(f" ({output.error_code})")
    if output.mode == "preview":
        told.append("  preview: nothing was recorded or issued", style="magenta")
    if output.replayed:
        told.append("  replayed: decided before", style="magenta")
    return told


def _predicted(output: OfferOutput) -> Text:
    said = output.ml_recommendation
    version = f", model {said['pred_version']}" if said.get("pred_version") else ""
    when = f", at {said['prediction_timestamp']}" if said.get("prediction_timestamp") else ""
    need = "an offer helps" if said.get("offer_flag") == 1 else "no offer is needed"
    return _text(f"{need} in {said.get('domain')}, confidence {said.get('confidence_score')}{version}{when}")


def _offer_rows(output: OfferOutput, offer: IssuedOffer, trace: Trace | None) -> Iterator[tuple[str, RenderableType]]:
    terms = trace.terms if trace else None
    shown = Text(offer.offer_value, style="bold")
    shown.append(f"  ({offer.offer_type.replace('_', ' ')}", style="dim")
    shown.append(f", option {terms.option_id})" if terms else ")", style="dim")
    yield "offer", shown
    if offer.minimum_spend:
        yield "", _text(f"minimum spend ${offer.minimum_spend:,.2f}")
    if terms is not None:
        enrol = f", enroll by {terms.enroll_by}" if terms.enroll_by else ""
        worth = "" if terms.incremental_value_usd is None else f", expected to add ${terms.incremental_value_usd:,.2f}"
        yield "", _text(f"expected to cost ${terms.expected_cost_usd:,.2f}{worth}")
        yield "", _text(f"from {terms.start_date} to {terms.end_date} ({offer.expiration_days} days){enrol}")
    yield "merchants", _text(", ".join(merchant.merchant_name for merchant in offer.featured_merchants))
    button = Text(f"[ {plain(offer.call_to_action)} ]", style="reverse")
    yield "copy", Group(Text(plain(offer.offer_title), style="bold"), _text(offer.offer_description), button)
    yield "", Text(SOURCES.get(output.copy_source or "", ""), style="dim")
    yield "terms", Text(plain(offer.terms_and_conditions), style="dim")
    yield "reasoning", _text(offer.reasoning)


def _channel_rows(channels: Channels) -> Iterator[tuple[str, RenderableType]]:
    if (push := channels.push) is not None:
        yield "push", Group(Text(plain(push.title), style="bold"), _text(push.body), Text(push.link, style="dim"))
    if (sms := channels.sms) is not None:
        billed = f"{sms.segments} segment{'s' if sms.segments > 1 else ''} of {sms.encoding}"
        yield "sms", Group(_text(sms.text), Text(billed, style="dim"))
    if (card := channels.in_app) is not None:
        button = Text(f"[ {plain(card.cta)} ]", style="reverse")
        yield "in app", Group(Text(plain(card.title), style="bold"), _text(card.body), button)
    for one in channels.left_out:
        yield one.channel.replace("_", " "), Text(f"left out: {plain(one.reason)}", style="yellow")


def _work_rows(trace: Trace) -> Iterator[tuple[str, RenderableType]]:
    if trace.history:
        yield "drafts", _lines([_attempt(place, attempt) for place, attempt in enumerate(trace.history, start=1)])
    if results := final_results(trace):
        yield "checked", _text(checked(results))
    yield "model", _text(usage(trace.calls))
    if trace.degraded:
        yield "degraded", _lines(trace.degraded)


def final_results(trace: Trace) -> tuple[ClauseResult, ...]:
    """Return what every clause said of the last draft and its message."""
    reports = [report for report in (trace.report, trace.message_report) if report is not None]
    return tuple(result for report in reports for result in report.results)


def checked(results: Sequence[ClauseResult]) -> str:
    """Count clauses by result, in words."""
    counts = Counter(result.result for result in results)
    parts = [f"{counts[name]} {name.replace('_', ' ')}" for name in RESULTS if counts[name]]
    policies = len({result.policy_id for result in results})
    return f"{len(results)} clauses of {policies} policies: {', '.join(parts)}"


def usage(calls: Sequence[ModelCall]) -> str:
    """Sum up model calls in words."""
    asked = [call for call in calls if not call.cached]
    if not calls:
        return "no call"
    if not asked:
        return f"no call: {len(calls)} answers came from the cache"
    tokens_in, tokens_out = sum(call.input_tokens for call in asked), sum(call.output_tokens for call in asked)
    seconds = sum(call.elapsed_ms for call in asked) / 1000
    cached = f", {len(calls) - len(asked)} more from the cache" if len(calls) > len(asked) else ""
    plural = "call" if len(asked) == 1 else "calls"
    return f"{len(asked)} {plural}, {tokens_in} tokens in, {tokens_out} out, {seconds:.1f} s{cached}"


def _attempt(place: int, attempt: Attempt) -> str:
    source = "no draft" if attempt.draft is None else SOURCES[attempt.draft.source]
    broken = ", ".join(dict.fromkeys(f"{v.policy_id}/{v.clause_id}" for v in attempt.report.violations))
    return f"{place}: {source}: {attempt.report.verdict}{f' ({broken})' if broken else ''}"


def _files(files: Sequence[Path]) -> Text:
    """Name the first whole, on lines of its own where it is long, so that it can be copied."""
    others = ", ".join(path.suffix for path in files[1:])
    return Text(plain(f"{_near(files[0])}\nand the same name with {others}"), overflow="fold")


def _near(path: Path) -> Path:
    here = Path.cwd()
    return path.resolve().relative_to(here) if path.resolve().is_relative_to(here) else path


def _text(text: str) -> Text:
    return Text(plain(text))


def _lines(lines: Sequence[str]) -> RenderableType:
    return Group(*(_text(line) for line in lines)) if lines else Text("-")
