from dataclasses import replace

import pytest

from tools.email.rates_link_check import RATES
from tools.policies.standard import standard_message, standard_subject

LINK = '<p><a href="{url}">{name}</a></p>'
OURS = "https://www.examplebank.example/rates"


def found(html: str, **offer: object) -> bool:
    subject = standard_subject()
    message = replace(standard_message(), html=f'<!doctype html><html lang="en"><body>{html}</body></html>')
    return bool(RATES[0].run(replace(subject, offer={**subject.offer, **offer}, message=message), {}))


@pytest.mark.parametrize(
    ("html", "missing"),
    [
        (LINK.format(url=OURS, name="Rates &amp; Fees"), False),
        (LINK.format(url=OURS, name="See our <b>Pricing and Terms</b>"), False),
        (LINK.format(url=OURS, name="Learn more"), True),
        (LINK.format(url="http://www.examplebank.example/rates", name="Rates &amp; Fees"), True),
        (LINK.format(url="https://rates.example", name="Rates &amp; Fees"), True),
        ("<p>Rates &amp; Fees</p>", True),
    ],
)
def test_rates_in_a_table_are_linked_by_name_to_a_page_of_ours(html: str, missing: bool) -> None:
    assert found(html, rates_fees_link=True) is missing


def test_an_offer_without_a_rates_table_needs_no_link() -> None:
    assert not found("<p>Earn 3X points.</p>")
    assert not found("<p>Earn 3X points.</p>", rates_fees_link=False)
