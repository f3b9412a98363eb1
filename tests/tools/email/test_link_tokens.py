from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.email import tokens
from tools.errors import SettingInvalid

SECRET = b"sixteen bytes or more"
SENT_AT = datetime(2026, 5, 4, 14, 0, 7, tzinfo=UTC)


def test_a_token_says_its_run_and_time_to_the_holder_of_the_secret() -> None:
    token = tokens.mint("unsubscribe", run_id="run-1", sent_at=SENT_AT, secret=SECRET)
    assert tokens.read("unsubscribe", token, secret=SECRET) == tokens.LinkClaim("run-1", SENT_AT)


def test_a_token_is_good_for_its_own_purpose_only() -> None:
    token = tokens.mint("offer", run_id="run-1", sent_at=SENT_AT, secret=SECRET)
    assert tokens.read("unsubscribe", token, secret=SECRET) is None


def test_a_changed_token_or_another_secret_is_refused() -> None:
    token = tokens.mint("unsubscribe", run_id="run-1", sent_at=SENT_AT, secret=SECRET)
    claim, _, mac = token.partition(".")
    other = tokens.mint("unsubscribe", run_id="run-2", sent_at=SENT_AT, secret=SECRET)
    assert tokens.read("unsubscribe", f"{other.partition('.')[0]}.{mac}", secret=SECRET) is None
    assert tokens.read("unsubscribe", f"{claim}.{mac[:-2]}", secret=SECRET) is None
    assert tokens.read("unsubscribe", token, secret=b"another secret, also long") is None


def test_tokens_differ_by_run_time_and_purpose() -> None:
    minted = {
        tokens.mint("unsubscribe", run_id=run, sent_at=sent, secret=SECRET)
        for run in ("run-1", "run-2")
        for sent in (SENT_AT, SENT_AT + timedelta(seconds=1))
    }
    assert len(minted) == 4


@given(st.text(max_size=400))
def test_no_text_but_a_minted_one_is_read(text: str) -> None:
    assert tokens.read("unsubscribe", text, secret=SECRET) is None


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(SettingInvalid, match="token_secret: 5 bytes"):
        tokens.check_secret(b"short")
