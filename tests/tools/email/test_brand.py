import pytest

from tools.email.brand import Brand, is_address, link_fault
from tools.errors import SettingInvalid

HOSTS = frozenset({"offers.examplebank.example"})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("issuer", "Example\nBank"),
        ("sender_name", ""),
        ("sender_address", "offers"),
        ("sender_address", "a@b.example\r\nBcc: x@y.example"),
        ("reply_to", "Offers <offers@mail.examplebank.example>"),
        ("postal_address", "100 Main Street\nWilmington"),
        ("allowed_hosts", frozenset({"https://offers.examplebank.example"})),
        ("offer_url", "http://offers.examplebank.example/{token}"),
        ("offer_url", "https://offers.examplebank.example.evil.example/{token}"),
        ("privacy_url", "https://user@www.examplebank.example/privacy"),
        ("unsubscribe_url", "https://offers.examplebank.example/unsubscribe"),
        ("preferences_url", "https://offers.examplebank.example/{other}/{token}"),
        ("feedback_sender", "a:b"),
        ("time_zone", "Mars/Olympus"),
    ],
)
def test_a_brand_that_would_break_the_mail_names_its_field(field: str, value: object) -> None:
    with pytest.raises(SettingInvalid, match=field):
        Brand(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://offers.examplebank.example/o/1", None),
        ("https://offers.examplebank.example:443/o", "user or a port"),
        ("https://offers.examplebank.example@evil.example/o", "user or a port"),
        ("https://evil.example/offers.examplebank.example", "outside"),
        ("https://xn--ffers-xt5a.examplebank.example/", "punycode"),
        ("https://10.0.0.1/o", "outside"),
        ("https://OFFERS.examplebank.example/", "outside"),
        ("//offers.examplebank.example/o", "https"),
        ("javascript:alert(1)", "https"),
        ("data:text/html,x", "https"),
        ("https://[::1", "URL"),
        ("https://offers.examplebank.example/a b", "characters"),
        ("https://offers.examplebank.example\\@evil.example/", "characters"),
        ("", "characters"),
    ],
)
def test_links_are_https_on_an_allowed_host(url: str, reason: str | None) -> None:
    fault = link_fault(url, HOSTS)
    assert fault is None if reason is None else fault is not None and reason in fault


@pytest.mark.parametrize(
    "value", ["a@b", "a b@c.example", "a@b..example", "a..b@c.example", "<a@b.example>", "a@b.example\n"]
)
def test_only_a_plain_address_is_one(value: str) -> None:
    assert not is_address(value)
    assert is_address("first.last+tag@mail.example")
