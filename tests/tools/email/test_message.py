import email
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tools.drafts import Copy
from tools.email import tokens
from tools.email.brand import Brand
from tools.email.message import TEMPLATES, Mailer, Message, Person
from tools.errors import TemplateFault
from tools.vocabulary import OFFER_TYPES, OfferType

Build = Callable[..., Message]


class Skeleton(HTMLParser):
    """Collect tags with their attributes, and text, by an independent parser."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def parsed(message: Message) -> EmailMessage:
    mail = email.message_from_bytes(message.eml, policy=SMTP)
    assert isinstance(mail, EmailMessage)
    return mail


@pytest.mark.parametrize("offer_type", OFFER_TYPES)
def test_the_eml_parsed_again_is_the_message(build: Build, offer_type: OfferType, run_id: str) -> None:
    message = build(offer_type)
    mail = parsed(message)
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]
    contents = [part.get_content().replace("\r\n", "\n") for part in mail.iter_parts()]
    assert contents == [message.text, message.html]
    assert mail["From"] == "Example Bank Offers <offers@mail.examplebank.example>"
    assert mail["Reply-To"] == "offers@mail.examplebank.example"
    assert mail["To"] == "amara@mail.example"
    assert mail["Subject"] == message.subject == "A new offer for your Card is here"
    assert mail["Date"] == "Mon, 04 May 2026 14:00:00 +0000"
    assert mail["Message-ID"].startswith(f"<{run_id}.")
    assert mail["List-Unsubscribe"] == f"<{message.unsubscribe_url}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Feedback-ID"].endswith(f":{offer_type}:offer:examplebank")
    assert not mail.defects
    assert message.html_sha256 == hashlib.sha256(message.html.encode()).hexdigest()


def test_the_eml_is_seven_bit_and_no_line_is_too_long(build: Build) -> None:
    message = build(person=Person("Zoë", None), copy=accented())
    assert message.eml.isascii()
    assert max(len(line) for line in message.eml.split(b"\r\n")) <= 998
    assert b"\n" not in message.eml.replace(b"\r\n", b"")
    assert b"List-Unsubscribe: <https://" in message.eml
    assert parsed(message)["Subject"] == "Café crème, déjà 4X"
    assert "Hi Zoë," in message.text


def accented() -> Copy:
    return Copy(subject="Café crème, déjà 4X", preheader="à bientôt", headline="été", body="où", cta="voilà")


def test_a_word_longer_than_a_mail_line_survives(build: Build, copy_text: Copy) -> None:
    message = build(copy=copy_text.model_copy(update={"body": "x" * 2500}))
    contents = [part.get_content().replace("\r\n", "\n") for part in parsed(message).iter_parts()]
    assert contents == [message.text, message.html]
    assert "x" * 2500 in message.html


def test_rendering_twice_gives_the_same_bytes(build: Build) -> None:
    assert build() == build()
    eastern = timezone(timedelta(hours=-4))
    same_instant = datetime(2026, 5, 4, 10, 0, 0, 999, tzinfo=eastern)
    assert build(sent_at=same_instant) == build()


def test_another_process_gives_the_same_bytes(build: Build, tmp_path: Path) -> None:
    script = tmp_path / "render.py"
    script.write_text(
        "import importlib.util, json, sys\n"
        "spec = importlib.util.spec_from_file_location('shared', sys.argv[1])\n"
        "shared = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(shared)\n"
        "import hashlib\n"
        "mailer = shared.Mailer(shared.Brand(), token_secret=shared.SECRET)\n"
        "person = shared.Person('Amara', 'amara@mail.example')\n"
        "print(json.dumps({kind: hashlib.sha256(mailer.render(run_id=shared.RUN_ID, copy=shared.COPY, terms=terms,\n"
        "    terms_text=shared.TERMS_TEXT, person=person, sent_at=shared.SENT_AT).eml).hexdigest()\n"
        "    for kind, terms in shared.OFFERS.items()}))\n"
    )
    root = TEMPLATES.parents[2]
    shared = Path(__file__).with_name("conftest.py")
    replies = [
        subprocess.run(
            [sys.executable, str(script), str(shared)],
            env={"PYTHONPATH": str(root), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    ]
    here = {kind: hashlib.sha256(build(kind).eml).hexdigest() for kind in OFFER_TYPES}
    assert [json.loads(reply) for reply in replies] == [here, here]


def test_another_run_time_or_secret_changes_the_token(build: Build, mailer: Mailer) -> None:
    other = Mailer(mailer.brand, token_secret=b"another secret of enough bytes")
    later = datetime(2026, 5, 4, 14, 0, 1, tzinfo=timezone.utc)  # noqa: UP017
    urls = {
        message.unsubscribe_url
        for message in (build(), build(run_id="run-2"), build(sent_at=later), build(mailer=other))
    }
    assert len(urls) == 4


def test_the_unsubscribe_token_can_be_read_by_the_holder_of_the_secret(build: Build, brand: Brand, run_id: str) -> None:
    secret = b"a secret the server also has"
    message = build(mailer=Mailer(brand, token_secret=secret))
    claim = tokens.read("unsubscribe", message.unsubscribe_url.rpartition("/")[2], secret=secret)
    assert claim is not None
    assert claim.run_id == run_id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Zl", "Zp", "Cs", "Cn", "Zs"))))
def test_any_text_stays_text(build: Build, copy_text: Copy, written: str) -> None:
    body = f"a{written[:500]}z"
    message = build(copy=copy_text.model_copy(update={"body": body, "headline": body[:200], "preheader": body[:200]}))
    read = Skeleton(message.html)
    assert read.tags == Skeleton(build(copy=copy_text.model_copy(update={"body": "az"})).html).tags
    assert body in read.text
    assert [part.get_content().replace("\r\n", "\n") for part in parsed(message).iter_parts()] == [
        message.text,
        message.html,
    ]


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: all@evil.example", "a@b.example, c@d.example", "<a@b.example>", "nobody", "a@b\n.x"],
)
def test_an_address_that_is_not_plain_gives_no_to(build: Build, address: str) -> None:
    message = build(person=Person("Amara", address))
    mail = parsed(message)
    assert mail["To"] is None
    assert mail["Bcc"] is None
    assert b"evil.example" not in message.eml


def test_without_an_address_there_is_no_to(build: Build) -> None:
    assert parsed(build(person=Person("Amara", None)))["To"] is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "Hello\r\nBcc: all@evil.example"),
        ("subject", "Hello\nBcc: all@evil.example"),
        ("subject", "Hello\tthere"),
        ("headline", "Hello\x00"),
        ("body", "Hello\u2028there"),
        ("cta", "Go\x1b[2J"),
        ("preheader", "  "),
        ("body", "\ud800"),
    ],
)
def test_text_that_can_not_be_mailed_is_refused_by_field(build: Build, copy_text: Copy, field: str, value: str) -> None:
    with pytest.raises(TemplateFault, match=field):
        build(copy=copy_text.model_copy(update={field: value}))


def test_a_run_id_or_time_that_can_not_stand_in_a_header_is_refused(build: Build) -> None:
    with pytest.raises(TemplateFault, match="run_id"):
        build(run_id="run\r\nBcc: x@y.example")
    with pytest.raises(TemplateFault, match="sent_at"):
        build(sent_at=datetime(2026, 5, 4))


def test_a_value_a_template_may_not_reach_is_a_template_fault(mailer: Mailer, build: Build, tmp_path: Path) -> None:
    for name in ("offer.mjml.j2", "offer.txt.j2", "theme.toml"):
        source = (TEMPLATES / name).read_text("utf-8")
        changed = (
            source.replace("{{ headline }}", "{{ headline.__class__.__mro__ }}") if name.endswith(".txt.j2") else source
        )
        (tmp_path / name).write_text(changed, "utf-8")
    with pytest.raises(TemplateFault, match=r"offer\.txt\.j2"):
        build(mailer=Mailer(mailer.brand, token_secret=b"sixteen bytes or more", templates=tmp_path))


@pytest.mark.parametrize(
    ("offer_type", "lines"),
    [
        ("points_multiplier", ["4X points", "Enroll by: May 25, 2026", "Minimum spend: $50", "$1,500 in purchases"]),
        (
            "statement_credit",
            ["$25 statement credit", "Minimum spend: $150", "Within 6 to 8 weeks", "Online purchases"],
        ),
        ("cashback", ["10% cash back", "Minimum spend: $49.50", "Most you can get: $100"]),
        ("discount", ["12.5% discount", "Business Services offer"]),
        ("exclusive_access", ["Early access to new releases"]),
    ],
)
def test_the_value_box_says_the_terms(build: Build, offer_type: OfferType, lines: list[str]) -> None:
    message = build(offer_type)
    for line in [*lines, "Valid May 4, 2026 through June 17, 2026"]:
        assert line in message.text
    assert ("Enroll by: " in message.text) is (offer_type != "discount")


def test_a_merchant_is_shown_where_the_offer_works_there(build: Build) -> None:
    assert "- Harvest & Vine (Online and in store)" in build("points_multiplier").text
    assert "- Harvest & Vine (Online)" in build("statement_credit").text


def test_a_message_is_small_and_loads_nothing(build: Build) -> None:
    for offer_type in OFFER_TYPES:
        html = build(offer_type).html
        assert len(html.encode()) < 40_000
        assert "fonts.googleapis" not in html
        assert "<link" not in html
        assert "<img" not in html
        assert "url(" not in html


def test_the_brand_reaches_every_place(mailer: Mailer, build: Build) -> None:
    other = replace(mailer.brand, issuer="Sample <Card> Co", sender_name="Sample <Card> Co Offers")
    message = build(mailer=Mailer(other, token_secret=b"sixteen bytes or more"))
    assert "Sample &lt;Card&gt; Co" in message.html
    assert "Sample <Card> Co" not in message.html
    assert "This is an advertisement from Sample <Card> Co." in message.text


def test_a_body_that_greets_is_not_greeted_twice(build: Build, copy_text: Copy) -> None:
    message = build(copy=copy_text.model_copy(update={"body": "Hi Amara, have a look."}))
    assert message.text.count("Amara") == 1
    assert message.html.count("Amara") == 1
