"""An email cut at its tokens and filled for another run is, byte for byte, the email rendered for that run."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.assembly import fill_copy
from tests.tools.email.conftest import COPY, OFFERS, RUN_ID, SECRET, SENT_AT, TERMS_TEXT
from tools.drafts import Copy
from tools.email.brand import TOKEN, Brand
from tools.email.greeting_line import placeholder
from tools.email.message import Mailer, Person
from tools.email.message_checks import message_facts
from tools.email.names import greeting_name
from tools.email.stencil import stencil_facts
from tools.errors import TemplateFault
from tools.terms import OfferTerms
from tools.vocabulary import OFFER_TYPES, OfferType

GREETED = COPY.model_copy(update={"body": "Hi {first_name}, two partners have something.\n\nEnjoy it, {first_name}."})
BRACED = COPY.model_copy(update={"headline": "Pay & enjoy <more> at 100%", "preheader": "A look's worth it: see $5."})
NAMES = [
    "Amara",
    "Zoë",
    "O'Neil",
    "Jean-Luc",
    "Ng",
    "李",
    "null",
    "<b>",
    "{offer}",
    "%s",
    "A" * 60,
    "",
    "  Ada  Lovelace ",
]
RUN_IDS = st.text("0123456789abcdef", min_size=32, max_size=32) | st.uuids().map(str) | st.from_regex(
    r"[A-Za-z0-9][A-Za-z0-9._-]{11,99}", fullmatch=True
)  # fmt: skip
LETTERS = st.characters(categories=["Lu", "Ll", "Lt", "Lo", "Lm", "Mn", "Mc", "Nl"]) | st.sampled_from("aEzÄß'’-")
GREETABLE = st.text(LETTERS, min_size=1, max_size=45).filter(lambda name: greeting_name(name) == name)
EMAILS = st.none() | st.emails() | st.sampled_from(["a@b.example", f"{'x' * 60}@{'y' * 60}.example", "no address", ""])


def of_length(length: int) -> st.SearchStrategy[str]:
    return st.text("abcdefXYZ0189", min_size=length, max_size=length)


def filled(copy: Copy, terms: OfferTerms, name: str | None) -> Copy:
    found = fill_copy(copy, terms, first_name=greeting_name(name))
    assert isinstance(found, Copy)
    return found


@settings(deadline=None, max_examples=25)
@given(
    data=st.data(),
    run_id=RUN_IDS,
    offer_type=st.sampled_from(OFFER_TYPES),
    copy=st.sampled_from([COPY, GREETED, BRACED]),
    name=st.sampled_from(NAMES) | st.none() | st.text(max_size=20),
    emails=st.tuples(EMAILS, EMAILS),
    sent=st.timedeltas(timedelta(0), timedelta(days=4_000)),
)
def test_filling_is_rendering(
    mailer: Mailer,
    brand: Brand,
    data: st.DataObject,
    run_id: str,
    offer_type: OfferType,
    copy: Copy,
    name: str | None,
    emails: tuple[str | None, str | None],
    sent: timedelta,
) -> None:
    terms = OFFERS[offer_type]
    own, sent_at = filled(copy, terms, name), SENT_AT + sent
    first, second = [
        (one, mailer.render(run_id=one, copy=own, terms=terms, terms_text=TERMS_TEXT, person=Person(name, email),
                            sent_at=sent_at))
        for one, email in zip((run_id, data.draw(of_length(len(run_id)))), emails, strict=True)
    ]  # fmt: skip
    told = mailer.cut(first[1], run_id=first[0]).fill(second[0])
    whole = second[1]
    assert (told.run_id, told.html, told.text) == (second[0], whole.html, whole.text)
    assert (told.html_sha256, told.unsubscribe_url, told.sent_at) == (
        whole.html_sha256, whole.unsubscribe_url, whole.sent_at
    )  # fmt: skip
    facts, theirs = (message_facts(message, brand, one) for one, message in (first, second))
    ours = stencil_facts(facts, told)
    addressed = ("Message-ID", "To", "Content-Type")
    assert replace(ours, headers={}, mime=None) == replace(theirs, headers={}, mime=None)
    assert {key: value for key, value in ours.headers.items() if key not in addressed} == {
        key: value for key, value in theirs.headers.items() if key not in addressed
    }


@settings(deadline=None, max_examples=40)
@given(
    run_ids=st.tuples(of_length(32), of_length(32)),
    offer_type=st.sampled_from(OFFER_TYPES),
    copy=st.sampled_from([COPY, BRACED]),
    name=GREETABLE | st.sampled_from(NAMES) | st.none() | st.text(max_size=20),
    email=EMAILS,
)
def test_filling_a_name_is_rendering_for_that_name(
    mailer: Mailer, run_ids: tuple[str, str], offer_type: OfferType, copy: Copy, name: str | None, email: str | None
) -> None:
    given, own = placeholder(), {"terms": OFFERS[offer_type], "terms_text": TERMS_TEXT, "sent_at": SENT_AT}
    copy = filled(copy, OFFERS[offer_type], name)
    first = mailer.render(run_id=run_ids[0], copy=copy, person=Person(given), **own)  # type: ignore[arg-type]
    theirs = mailer.render(run_id=run_ids[1], copy=copy, person=Person(name, email), **own)  # type: ignore[arg-type]
    stencil = mailer.cut(first, run_id=run_ids[0], name=given)
    told = stencil.fill(run_ids[1], name)
    assert stencil.takes_name
    assert (told.html, told.text, told.html_sha256, told.unsubscribe_url) == (
        theirs.html, theirs.text, theirs.html_sha256, theirs.unsubscribe_url
    )  # fmt: skip
    assert len(theirs.html) <= len(first.html)


def test_a_placeholder_is_greeted_and_is_another_each_time() -> None:
    longest = {placeholder() for _ in range(20)}
    assert len(longest) == 20
    assert all(greeting_name(one) == one and len(one) == 40 for one in longest)
    assert greeting_name(shortest := placeholder(1)) == shortest and len(shortest) == 1


@pytest.mark.parametrize("copy", ["Hello again, {first_name}. Two partners wait.", "Hi {first_name}, two partners."])
def test_an_email_whose_copy_names_the_member_is_not_cut_at_the_name(mailer: Mailer, copy: str) -> None:
    given, terms = placeholder(), OFFERS["cashback"]
    own = filled(COPY.model_copy(update={"body": copy}), terms, given)
    message = mailer.render(run_id=RUN_ID, copy=own, terms=terms, terms_text=TERMS_TEXT, person=Person(given),
                            sent_at=SENT_AT)  # fmt: skip
    with pytest.raises(TemplateFault, match="elsewhere than in the greeting"):
        mailer.cut(message, run_id=RUN_ID, name=given)


def test_an_email_that_greets_nobody_by_name_takes_none(mailer: Mailer) -> None:
    given, terms = placeholder(), OFFERS["cashback"]
    own = filled(COPY.model_copy(update={"body": "Hello there, two partners have something."}), terms, given)
    message = mailer.render(run_id=RUN_ID, copy=own, terms=terms, terms_text=TERMS_TEXT, person=Person(given),
                            sent_at=SENT_AT)  # fmt: skip
    stencil = mailer.cut(message, run_id=RUN_ID, name=given)
    assert not stencil.takes_name and stencil.fill(RUN_ID, "Ada").html == message.html


def test_a_run_id_of_another_length_is_refused(mailer: Mailer) -> None:
    message = mailer.render(run_id=RUN_ID, copy=COPY, terms=OFFERS["cashback"], terms_text=TERMS_TEXT,
                            person=Person(), sent_at=SENT_AT)  # fmt: skip
    with pytest.raises(TemplateFault, match="run_id: 'short' has not the 36 characters"):
        mailer.cut(message, run_id=RUN_ID).fill("short")


def test_a_token_that_stands_twice_in_a_link_is_filled_twice(brand: Brand) -> None:
    mailer = Mailer(
        replace(brand, unsubscribe_url=f"https://offers.examplebank.example/{TOKEN}/stop?again={TOKEN}"),
        token_secret=SECRET,
    )
    first, second = [
        mailer.render(run_id=one, copy=COPY, terms=OFFERS["cashback"], terms_text=TERMS_TEXT, person=Person(),
                      sent_at=SENT_AT)
        for one in (RUN_ID, RUN_ID[::-1])
    ]  # fmt: skip
    filled = mailer.cut(first, run_id=RUN_ID).fill(RUN_ID[::-1])
    assert (filled.html, filled.unsubscribe_url) == (second.html, second.unsubscribe_url)


def test_a_run_id_that_no_header_takes_is_refused(mailer: Mailer) -> None:
    message = mailer.render(run_id=RUN_ID, copy=COPY, terms=OFFERS["cashback"], terms_text=TERMS_TEXT,
                            person=Person(), sent_at=SENT_AT)  # fmt: skip
    with pytest.raises(TemplateFault, match="can't be part of a header"):
        mailer.cut(message, run_id=RUN_ID).fill("\n" + RUN_ID[1:])


def test_an_email_that_names_its_run_beside_the_tokens_is_not_cut(mailer: Mailer) -> None:
    copy = COPY.model_copy(update={"body": f"Your reference is {RUN_ID}, keep it."})
    message = mailer.render(run_id=RUN_ID, copy=copy, terms=OFFERS["cashback"], terms_text=TERMS_TEXT,
                            person=Person(), sent_at=SENT_AT)  # fmt: skip
    with pytest.raises(TemplateFault, match="the run stands elsewhere in it"):
        mailer.cut(message, run_id=RUN_ID)


def test_an_email_of_another_run_or_key_is_not_cut(mailer: Mailer, brand: Brand) -> None:
    message = mailer.render(run_id=RUN_ID, copy=COPY, terms=OFFERS["cashback"], terms_text=TERMS_TEXT,
                            person=Person(), sent_at=SENT_AT)  # fmt: skip
    with pytest.raises(TemplateFault, match="can't be cut"):
        mailer.cut(message, run_id=RUN_ID[::-1])
    with pytest.raises(TemplateFault, match="can't be cut"):
        Mailer(brand, token_secret=SECRET[::-1]).cut(message, run_id=RUN_ID)
