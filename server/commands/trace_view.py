"""A trace told for people: each node with its time and tokens, each attempt, what the next draft changed."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from graph.affording import usd
from graph.state import Attempt, Reserved
from graph.trace import Span, Trace
from server.commands.console import plain
from server.commands.diff import word_diff
from tools.chat.calls import ModelCall
from tools.report import SATISFIED, Violation


def trace_view(trace: Trace) -> RenderableType:
    """Return the steps of a run, its attempts and what each draft changed."""
    parts: list[RenderableType] = []
    if trace.spans:
        parts.append(_steps(trace.spans))
    elif trace.calls:
        parts.append(calls_table(trace))
    if trace.view is not None:
        parts.append(labelled("the model saw", ", ".join(map(str, trace.view.model_dump().values()))))
    for hypothesis in trace.hypotheses:
        parts.append(labelled("hypothesis", f"{hypothesis.text} (rests on {', '.join(hypothesis.cites)})"))
    for dropped in trace.dropped:
        parts.append(labelled("dropped", dropped))
    if trace.policies:
        parts.append(labelled("policies", ", ".join(trace.policies)))
    for place, attempt in enumerate(trace.history):
        parts += attempt_view(place, attempt, trace.history[place - 1] if place else None)
    if trace.money is not None:
        parts.append(labelled("money", reserved(trace.money)))
    for note in trace.degraded:
        parts.append(labelled("degraded", note))
    return Group(*parts)


def _steps(spans: tuple[Span, ...]) -> Table:
    table = Table(title="steps", title_justify="left", box=None, header_style="dim")
    for name, justify in (("node", "left"), ("start ms", "right"), ("took ms", "right"), ("tokens in", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("out", justify="right")
    table.add_column("what")
    for span in spans:
        tokens_in, tokens_out = sum(c.input_tokens for c in span.calls), sum(c.output_tokens for c in span.calls)
        table.add_row(
            span.node,
            f"{span.started_ms:.0f}",
            f"{span.elapsed_ms:.1f}",
            str(tokens_in or ""),
            str(tokens_out or ""),
            _what(span),
        )
    return table


def _what(span: Span) -> Text:
    notes: list[str] = []
    if span.error:
        notes.append(f"failed: {span.error}")
    for call in span.calls:
        tries = f", {call.attempts} tries" if call.attempts > 1 else ""
        fault = f", {call.error_code}" if call.error_code else ""
        notes.append(f"{call.step}: {'cached' if call.cached else 'asked'}{tries}{fault}")
    for attempt in span.attempts:
        found = len(attempt.report.violations)
        notes.append(f"{attempt.report.verdict}, {len(attempt.report.results)} clauses, {found} violations")
    return Text(plain("; ".join(notes)), style="red" if span.error else "")


def calls_table(trace: Trace) -> Table:
    """Return every model call: what it was for, which prompt (by the hash of all that decides the answer), its cost."""
    table = Table(title="model calls", title_justify="left", box=None, header_style="dim")
    for name in ("step", "prompt", "model", "tokens in", "out", "took ms", "tries", ""):
        table.add_column(name, justify="right" if name in ("tokens in", "out", "took ms", "tries") else "left")
    for call in trace.calls:
        table.add_row(
            call.step,
            call.prompt_sha[:12],
            Text(plain(call.model)),
            str(call.input_tokens),
            str(call.output_tokens),
            f"{call.elapsed_ms:.0f}",
            str(call.attempts),
            Text(plain(_how(call))),
        )
    return table


def _how(call: ModelCall) -> str:
    notes = ["cached"] if call.cached else []
    notes += ["repaired: the first reply did not fit the schema"] if call.repaired else []
    notes += [f"{call.cached_tokens} tokens from the provider's prefix cache"] if call.cached_tokens else []
    notes += [f"{call.error_code}: {call.error or ''}"] if call.error_code else []
    return "; ".join(notes)


def attempt_view(place: int, attempt: Attempt, before: Attempt | None) -> Iterator[RenderableType]:
    """Yield one draft with its violations, and what it changed of the draft before; slots as they were written."""
    draft, report = attempt.draft, attempt.report
    source = "no draft arrived" if draft is None else f"{draft.source}, option {draft.option_id}"
    colour = "green" if report.verdict == "pass" else "red"
    yield Text.assemble((f"\nattempt {place + 1}", "bold"), f"  {plain(source)}  ", (report.verdict, colour))
    if report.violations:
        yield _violations(report.violations)
    elif open_clauses := [r for r in report.results if r.result not in SATISFIED and r.severity != "warn"]:
        yield labelled("open", ", ".join(f"{r.policy_id}/{r.clause_id} {r.result}" for r in open_clauses))
    if draft is None:
        return
    old = before.draft if before is not None else None
    if old is None:
        yield labelled("merchants", ", ".join(draft.merchant_ids))
    else:
        for name, was, now in (
            ("option", old.option_id, draft.option_id),
            ("merchants", ", ".join(old.merchant_ids), ", ".join(draft.merchant_ids)),
        ):
            if was != now:
                yield labelled(name, word_diff(plain(was), plain(now)))
    for field, text in draft.text.fields().items():
        if old is None:
            yield labelled(field, text)
        elif (was := old.text.fields()[field]) != text:
            yield labelled(field, word_diff(plain(was), plain(text)))
        else:
            yield labelled(field, Text("unchanged", style="dim"))


def _violations(violations: tuple[Violation, ...]) -> Table:
    table = Table("clause", "field", "found", "what is wrong, and how to put it right", box=None, header_style="dim")
    for violation in violations:
        told = f"{violation.message}. {violation.fix_hint}".strip(". ") + "."
        table.add_row(
            Text(f"{violation.policy_id}/{violation.clause_id}", style="red"),
            Text(violation.field),
            Text(plain(violation.quote)),
            Text(plain(told)),
        )
    return table


def reserved(money: Reserved) -> str:
    """Say what was reserved, and of which budgets."""
    instead = f", in place of {money.in_place_of}, which was not affordable" if money.in_place_of else ""
    left = (
        f"{budget.name or budget.scope} {usd(budget.left_usd)} of {usd(budget.limit_usd)}" for budget in money.budgets
    )
    return f"{usd(money.amount_usd)} reserved for {money.option_id}{instead}; left: {', '.join(left)}"


def labelled(label: str, told: str | RenderableType) -> Table:
    """Return one line of a section: its label, and the text beside it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="cyan", no_wrap=True, min_width=13)
    grid.add_column(ratio=1)
    grid.add_row(f"  {label}", Text(plain(told)) if isinstance(told, str) else told)
    return grid
