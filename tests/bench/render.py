"""What one email costs, beside filling a Jinja template of HTML that was compiled from MJML beforehand."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from datetime import time as clock
from typing import Any, Final

import mrml
from jinja2 import Template

from tests.bench.figures import Figure, against, percentile
from tests.bench.parts import Parts
from tests.gate.offers import Compliant, compliant_offers, open_book
from tools.email.compiler import fill_template, html_of, open_environment
from tools.email.elements import parse
from tools.email.message import TEMPLATES, Mailer, Person

AT: Final = clock(15, tzinfo=UTC)
READER: Final = Person("Amara", "amara@mail.example")


async def run(parts: Parts, *, quick: bool) -> Sequence[Figure]:
    """Render compliant offers of every menu, each once: no text comes twice."""
    book = open_book()
    offers = compliant_offers(book, turns=1 if quick else 4, spread_days=300)
    mailer, whole, markup, baseline = book.mailer, [], [], []
    template = compiled_once()
    if not shows_the_same(mailer, offers[0]):
        raise AssertionError("the baseline shows other texts than the message, so the two can't be compared")
    for offer in offers:
        whole.append(_ms(lambda: _render(mailer, offer)))  # noqa: B023
        values = values_of(mailer, offer)
        markup.append(_ms(lambda: html_of(fill_template(mailer._mjml, values))))  # noqa: B023
        baseline.append(_ms(lambda: template.render(values)))  # noqa: B023
    base, to = percentile(baseline, 50), "filling HTML compiled beforehand, nothing else"
    return (
        against("one message: HTML, text and .eml, p50", percentile(whole, 50), base, to),
        against("of it the HTML from MJML, p50", percentile(markup, 50), base, to),
        against("one message, p99", percentile(whole, 99), percentile(baseline, 99), f"{to}, p99"),
    )


def compiled_once() -> Template:
    """Compile the MJML with its Jinja left in: the HTML template of somebody who never compiles per message."""
    source = (TEMPLATES / "offer.mjml.j2").read_text("utf-8")
    compiled = mrml.to_html(source[source.index("<mjml") :], None, mrml.RenderOptions(fonts={}))
    return open_environment(TEMPLATES).from_string(compiled.content)


def shows_the_same(mailer: Mailer, offer: Compliant) -> bool:
    """Tell whether the baseline shows the same texts in the same order as the product's message."""
    texts = [text.text for text in parse(_render(mailer, offer).html).texts]
    return texts == [text.text for text in parse(compiled_once().render(values_of(mailer, offer))).texts]


def values_of(mailer: Mailer, offer: Compliant) -> dict[str, Any]:
    """Return what both templates are filled with."""
    sent = datetime.combine(offer.subject.send_date, AT)
    return mailer._values(offer.copy, offer.terms, offer.subject.text["terms"], READER, mailer._links(offer.name, sent))


def _render(mailer: Mailer, offer: Compliant) -> Any:
    return mailer.render(
        run_id=offer.name,
        copy=offer.copy,
        terms=offer.terms,
        terms_text=offer.subject.text["terms"],
        person=READER,
        sent_at=datetime.combine(offer.subject.send_date, AT),
    )


def _ms(work: Callable[[], object]) -> float:
    started = time.process_time_ns()
    work()
    return (time.process_time_ns() - started) / 1e6
