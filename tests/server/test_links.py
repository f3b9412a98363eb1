"""The links of a really issued email, through real HTTP: one-click, the two pages, and what they must not do."""

import asyncio
import email
import email.policy
import logging
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.deps import token_secret
from graph.settings import Settings
from server import forms
from server.forms import MAX_BYTES
from server.links import WithoutTokens, _pause
from tests.scripted_model import ScriptedModel
from tests.server.conftest import AddMember, created_database, prediction
from tests.server.serving import Serving, wait_for
from tools.database import Database
from tools.email import tokens
from tools.ledger import suppression_list
from tools.ledger.erasure import erase_person
from tools.ledger.holds import mark_sent
from tools.vocabulary import DOMAINS

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ONE_CLICK = b"List-Unsubscribe=One-Click"
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


@dataclass(frozen=True)
class Mailed:
    """One issued offer, and the paths of the links in its `.eml`."""

    user_id: str
    run_id: str
    unsubscribe: str
    preferences: str


Mail = Callable[..., Awaitable[Mailed]]


@pytest.fixture
def mail(client: httpx2.Client, add_member: AddMember, shared_settings: Settings) -> Mail:
    """Issue an offer to a new member and read the links from the exported mail."""

    async def issued(**changes: object) -> Mailed:
        user_id = await add_member(**changes)
        output = client.post("/offer/invoke", json={"input": prediction(user_id)}).json()["output"]
        assert output["recommendation"] == "offer_generated"
        run_id = output["run_id"]
        wait_for(lambda: bool(list(Path(shared_settings.output_dir).rglob(f"{run_id}.eml"))))
        (path,) = Path(shared_settings.output_dir).rglob(f"{run_id}.eml")
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert message["List-Unsubscribe-Post"] == ONE_CLICK.decode()
        text = message.get_body(("plain",)).get_content()
        (preferences,) = {word.strip("<>().,") for word in text.split() if "/preferences/" in word}
        return Mailed(user_id, run_id, path_of(message["List-Unsubscribe"].strip("<>")), path_of(preferences))

    return issued


def path_of(url: str) -> str:
    parts = urlsplit(url)
    assert parts.scheme == "https" and not parts.query
    return parts.path


def next_offer(client: httpx2.Client, user_id: str, domain: str = "Dining", **config: object) -> dict[str, object]:
    body = {"input": prediction(user_id, domain=domain, idempotency_key=secrets.token_hex(8)), "config": config}
    return client.post("/offer/invoke", json=body).json()["output"]


async def rows(ledger: Database, query: str, *values: object) -> list[tuple[object, ...]]:
    async with ledger.connection() as connection:
        return await (await connection.execute(query, values)).fetchall()  # type: ignore[arg-type]


async def source_of(ledger: Database, user_id: str) -> list[tuple[object, ...]]:
    return await rows(ledger, "select source from suppression where user_id = %s", user_id)


async def test_a_mailbox_providers_one_click_holds_the_next_prediction(
    client: httpx2.Client, mail: Mail, ledger: Database
) -> None:
    sent = await mail()
    reply = client.post(sent.unsubscribe, content=ONE_CLICK, headers=FORM, follow_redirects=False)
    assert reply.status_code == 200
    assert "You are unsubscribed" in reply.text
    assert await source_of(ledger, sent.user_id) == [("one_click",)]
    held = next_offer(client, sent.user_id)
    assert (held["recommendation"], held["success"]) == ("suppressed_marketing_opt_out", False)
    assert held["suppression"]["detail"][0] == "marketing_opt_out: the member is on the suppression list"  # type: ignore[index]
    preview = next_offer(client, sent.user_id, configurable={"mode": "preview"})
    assert (preview["recommendation"], preview["mode"]) == ("suppressed_marketing_opt_out", "preview")


async def test_one_click_as_multipart_counts_too(client: httpx2.Client, mail: Mail, ledger: Database) -> None:
    sent = await mail()
    body = b'--b1\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b1--\r\n'
    reply = client.post(sent.unsubscribe, content=body, headers={"Content-Type": "multipart/form-data; boundary=b1"})
    assert reply.status_code == 200
    assert await source_of(ledger, sent.user_id) == [("one_click",)]


async def test_twenty_posts_at_once_are_one_stop(server: Serving, mail: Mail, ledger: Database) -> None:
    sent = await mail()
    async with httpx2.AsyncClient(base_url=server.url, trust_env=False, timeout=30) as client:
        posts = (client.post(sent.unsubscribe, content=ONE_CLICK, headers=FORM) for _ in range(20))
        replies = await asyncio.gather(*posts)
    assert {(reply.status_code, reply.text) for reply in replies} == {(200, replies[0].text)}
    events = await rows(ledger, "select event, source, run_id from contact_event where user_id = %s", sent.user_id)
    assert events == [("stopped", "one_click", sent.run_id)]


async def test_looking_changes_nothing(client: httpx2.Client, mail: Mail, ledger: Database) -> None:
    sent = await mail()
    for path in (sent.unsubscribe, sent.preferences):
        shown = client.get(path)
        assert shown.status_code == 200
        assert 'method="post"' in shown.text
        assert "set-cookie" not in shown.headers
        assert {name: shown.headers[name] for name in HEADERS} == HEADERS
        assert shown.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert client.get(path, params={"List-Unsubscribe": "One-Click"}).status_code == 200
        head = client.head(path)
        assert (head.status_code, head.content) == (200, b"")
    assert client.request("PUT", sent.unsubscribe).status_code == 405
    assert await source_of(ledger, sent.user_id) == []
    assert await rows(ledger, "select 1 from contact_event where user_id = %s", sent.user_id) == []


async def test_a_page_names_nobody(client: httpx2.Client, mail: Mail) -> None:
    sent = await mail(name="Wilhelmina Sturtevant")
    for path in (sent.unsubscribe, sent.preferences):
        assert sent.user_id not in path
        text = client.get(path).text
        assert not [word for word in (sent.user_id, "Wilhelmina", "Sturtevant", sent.run_id) if word in text]


async def test_tokens_that_are_wrong_in_any_way_get_one_answer(client: httpx2.Client, mail: Mail) -> None:
    sent = await mail()
    token, other = sent.unsubscribe.rpartition("/")[2], sent.preferences.rpartition("/")[2]
    claim, _, mac = token.partition(".")
    forged = tokens.mint("unsubscribe", run_id=sent.run_id, sent_at=datetime.now(UTC), secret=b"somebody else's key")
    wrong = [
        other, forged, token[:-1], token[:-20], claim, f"{claim}.", f".{mac}", f"{claim}.{mac[::-1]}", "x", "",
        "a/b/c", f"{token}/", f"{token}%00", "é", "x" * 5_000, f"{token}{token}",
    ]  # fmt: skip
    for method in ("GET", "POST"):
        replies = [client.request(method, f"/unsubscribe/{bad}", content=ONE_CLICK, headers=FORM) for bad in wrong]
        replies.append(client.request(method, f"/preferences/{token}", content=b"action=stop", headers=FORM))
        assert {reply.status_code for reply in replies} == {404}
        assert len({reply.content for reply in replies}) == 1
        assert (
            len({tuple(sorted(set(reply.headers.items()) - {("date", reply.headers["date"])})) for reply in replies})
            == 1
        )
    assert client.get(sent.unsubscribe).text.count("<button") == 1


@given(run_id=st.text("abcdef0123456789", min_size=1, max_size=40), junk=st.binary(max_size=60))
def test_no_token_of_another_secret_or_purpose_opens_a_link(server: Serving, run_id: str, junk: bytes) -> None:
    mailer = server.pipeline.deps.mailer
    moment = datetime(2026, 11, 1, tzinfo=UTC)
    ours = tokens.mint("preferences", run_id=run_id, sent_at=moment, secret=token_secret(server.settings))
    theirs = tokens.mint("unsubscribe", run_id=run_id, sent_at=moment, secret=junk + b"sixteen bytes at least")
    assert mailer.claim_of_link("preferences", ours) == tokens.LinkClaim(run_id, moment)
    assert mailer.claim_of_link("unsubscribe", ours) is None
    assert mailer.claim_of_link("unsubscribe", theirs) is None


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (ONE_CLICK, {"Content-Type": "application/json"}, 415),
        (ONE_CLICK, {"Content-Type": "text/plain"}, 415),
        (ONE_CLICK, {}, 415),
        (b"", FORM, 400),
        (b"List-Unsubscribe=", FORM, 400),
        (b"List-Unsubscribe=one-click-ish", FORM, 400),
        (ONE_CLICK + b"&" + ONE_CLICK, FORM, 400),
        (b"&".join([b"a=1"] * 50), FORM, 400),
        (b"List-Unsubscribe=%ff", FORM, 400),
        (b"\xff\xfe", FORM, 400),
        (ONE_CLICK, {"Content-Type": "multipart/form-data"}, 400),
        (b"--b\r\n\r\nOne-Click\r\n--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, 400),
        (ONE_CLICK + b"&pad=" + b"x" * MAX_BYTES, FORM, 413),
    ],
)
async def test_a_post_that_is_no_one_click_changes_nothing(
    client: httpx2.Client, mail: Mail, ledger: Database, content: bytes, headers: dict[str, str], status: int
) -> None:
    sent = await shared_mail(mail)
    reply = client.post(sent.unsubscribe, content=content, headers=headers)
    assert (reply.status_code, "Nothing has changed" in reply.text) == (status, True)
    assert await source_of(ledger, sent.user_id) == []


_SHARED: list[Mailed] = []


async def shared_mail(mail: Mail) -> Mailed:
    """Return one mail for tests that leave its member as they are."""
    if not _SHARED:
        _SHARED.append(await mail())
    return _SHARED[0]


@pytest.mark.parametrize(
    "name", ["(" * 3_000, "form-data; name*=", "=]]utf-8*0>%ff;name*", "form-data; name*=undefined''x"]
)
async def test_a_part_with_a_strange_head_is_no_form(client: httpx2.Client, mail: Mail, name: str) -> None:
    sent = await shared_mail(mail)
    body = f"--x\r\nContent-Disposition: {name}\r\n\r\nOne-Click\r\n--x--\r\n".encode()
    for kind in ("multipart/form-data; boundary=x", f"multipart/form-data; boundary=x; {'(' * 3_000}"):
        reply = client.post(sent.unsubscribe, content=body, headers={"Content-Type": kind})
        assert (reply.status_code, "Nothing has changed" in reply.text) == (400, True)


async def test_files_are_not_handed_over_again_once_a_member_opted_out(
    client: httpx2.Client, add_member: AddMember, shared_settings: Settings
) -> None:
    output = Path(shared_settings.output_dir)
    asked = [{"input": prediction(await add_member())} for _ in range(2)]
    runs = [client.post("/offer/invoke", json=body).json()["output"]["run_id"] for body in asked]
    for run_id in runs:
        wait_for(lambda run_id=run_id: bool(list(output.rglob(f"{run_id}.json"))))  # type: ignore[misc]
    (eml,) = output.rglob(f"{runs[0]}.eml")
    link = email.message_from_bytes(eml.read_bytes(), policy=email.policy.default)["List-Unsubscribe"]
    assert client.post(path_of(link.strip("<>")), content=ONE_CLICK, headers=FORM).status_code == 200
    for run_id in runs:
        for path in output.rglob(f"{run_id}.*"):
            path.unlink()
    again = [client.post("/offer/invoke", json=body).json()["output"] for body in asked]
    assert [(each["run_id"], each["replayed"]) for each in again] == [(run_id, True) for run_id in runs]
    wait_for(lambda: bool(list(output.rglob(f"{runs[1]}.json"))))  # the exporter works in order
    assert not list(output.rglob(f"{runs[0]}.*"))


async def test_a_body_in_chunks_is_cut_off_at_the_limit(client: httpx2.Client, mail: Mail) -> None:
    sent = await shared_mail(mail)
    reply = client.post(sent.unsubscribe, content=(b"x" * 1_000 for _ in range(1_000)), headers=FORM)
    assert reply.status_code == 413


async def test_a_body_that_never_comes_is_not_waited_for(
    server: Serving, mail: Mail, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await shared_mail(mail)
    monkeypatch.setattr(forms, "PATIENCE_S", 0.01)
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {sent.unsubscribe} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {FORM['Content-Type']}\r\n"
    writer.write(f"{head}Content-Length: 26\r\n\r\nList".encode())
    assert (await asyncio.wait_for(reader.readline(), 30)).startswith(b"HTTP/1.1 408 ")
    writer.close()


def test_an_access_log_holds_no_token() -> None:
    def logged(path: str) -> str:
        values = ("127.0.0.1:5", "POST", path, "1.1", 200)
        record = logging.LogRecord("uvicorn.access", logging.INFO, "", 0, '%s - "%s %s HTTP/%s" %d', values, None)
        assert WithoutTokens().filter(record)
        return record.getMessage()

    assert logged("/unsubscribe/secret.token") == '127.0.0.1:5 - "POST /unsubscribe/... HTTP/1.1" 200'
    assert logged("/preferences/secret.token?x=1") == '127.0.0.1:5 - "POST /preferences/... HTTP/1.1" 200'
    token = f"{'a' * 40}.{'b' * 43}"
    for path in (f"/x/unsubscribe/{token}", f"//Preferences/{token}", f"/{token}", f"/unsubscribe/a/{token}"):
        assert token not in logged(path) and "b" * 10 not in logged(path)
    socket = logging.LogRecord(
        "uvicorn.error", logging.INFO, "", 0, '%s - "WebSocket %s" 403', ("127.0.0.1:5", f"/unsubscribe/{token}"), None
    )
    assert WithoutTokens().filter(socket)
    assert socket.getMessage() == '127.0.0.1:5 - "WebSocket /unsubscribe/..." 403'
    assert logged("/offer/invoke") == '127.0.0.1:5 - "POST /offer/invoke HTTP/1.1" 200'


async def test_the_pages_button_stops_offers_and_preferences_start_them_again(
    client: httpx2.Client, mail: Mail, ledger: Database
) -> None:
    sent = await mail()
    done = client.post(sent.unsubscribe, data={"List-Unsubscribe": "One-Click", "from": "page"})
    assert "You are unsubscribed" in done.text and "<form" not in done.text
    assert await source_of(ledger, sent.user_id) == [("unsubscribe_page",)]
    assert "You are unsubscribed" in client.get(sent.unsubscribe).text
    assert "You get no offers by email." in client.get(sent.preferences).text
    again = client.post(sent.preferences, data={"action": "resume"})
    assert "You may get offers for all categories." in again.text
    assert next_offer(client, sent.user_id)["recommendation"] == "offer_generated"
    events = await rows(
        ledger, "select event, source from contact_event where user_id = %s order by event_id", sent.user_id
    )
    assert events == [("stopped", "unsubscribe_page"), ("resumed", "preferences_page")]


async def test_a_refused_domain_is_held_and_the_others_are_not(client: httpx2.Client, mail: Mail) -> None:
    sent = await mail()
    wanted = [domain for domain in DOMAINS if domain != "Dining"]
    saved = client.post(sent.preferences, data={"action": "save", "domain": wanted, "pause": "0"})
    assert saved.status_code == 200
    assert (
        "Saved. You may get offers for Travel, Electronics, Business Services, Retail and Entertainment." in saved.text
    )
    shown = client.get(sent.preferences).text
    assert [f'value="{domain}" checked' in shown for domain in DOMAINS] == [domain in wanted for domain in DOMAINS]
    held = next_offer(client, sent.user_id, "Dining")
    assert held["recommendation"] == "suppressed_marketing_opt_out"
    assert held["suppression"]["detail"][0] == "marketing_opt_out: the member wants no Dining offers (preferences)"  # type: ignore[index]
    assert next_offer(client, sent.user_id, "Retail")["recommendation"] == "offer_generated"


async def test_a_pause_holds_until_its_day_and_can_be_undone(
    client: httpx2.Client, mail: Mail, server: Serving, ledger: Database
) -> None:
    sent = await mail()
    until = server.pipeline.deps.today() + timedelta(days=30)
    paused = client.post(sent.preferences, data={"action": "save", "domain": list(DOMAINS), "pause": "30"})
    assert f"Offers are paused until {until:%B} {until.day}, {until.year}." in paused.text
    held = next_offer(client, sent.user_id)
    assert held["suppression"]["detail"][0] == (  # type: ignore[index]
        f"marketing_opt_out: the member paused offers until {until.isoformat()} (preferences)"
    )
    kept = client.post(
        sent.preferences, data={"action": "save", "domain": ["Travel", "Retail"], "pause": until.isoformat()}
    )
    assert "From then on you may get offers for Travel and Retail." in kept.text
    undone = client.post(sent.preferences, data=undo_fields(kept.text))
    assert f"{until.year}. From then on you may get offers for all categories." in undone.text
    async with ledger.connection() as connection:
        await connection.execute(
            "update contact_preference set paused_until = now() where user_id = %s", (sent.user_id,)
        )
    assert "paused" not in client.get(sent.preferences).text
    assert next_offer(client, sent.user_id)["recommendation"] == "offer_generated"


def undo_fields(page: str) -> dict[str, list[str]]:
    """Read the hidden fields of the page's first form, which is Undo."""
    form = page[page.index("<form") : page.index("Undo")]
    fields: dict[str, list[str]] = {}
    for part in form.split("<input ")[1:]:
        fields.setdefault(part.split('name="')[1].split('"')[0], []).append(part.split('value="')[1].split('"')[0])
    return fields


@pytest.mark.parametrize(
    "fields",
    [
        {"action": "save", "domain": "Gambling", "pause": "0"},
        {"action": "save", "domain": "Travel", "pause": "31"},
        {"action": "save", "domain": "Travel", "pause": "9999-12-31"},
        {"action": "save", "domain": "Travel", "pause": ["0", "30"]},
        {"action": "erase"},
        {"domain": "Travel"},
        {"action": ["stop", "resume"]},
        {"List-Unsubscribe": "One-Click"},
    ],
)
async def test_a_preferences_form_nobody_made_changes_nothing(
    client: httpx2.Client, mail: Mail, fields: dict[str, str | list[str]]
) -> None:
    sent = await shared_mail(mail)
    before = client.get(sent.preferences).text
    reply = client.post(sent.preferences, data=fields)
    assert (reply.status_code, "Nothing has changed" in reply.text) == (400, True)
    assert client.get(sent.preferences).text == before


async def test_text_of_a_form_stays_text(client: httpx2.Client, mail: Mail) -> None:
    sent = await shared_mail(mail)
    reply = client.post(sent.preferences, data={"action": "save", "domain": "<b>x</b>", "pause": "0"})
    assert "<b>" not in reply.text and "&lt;b&gt;x&lt;/b&gt;" in reply.text


async def test_no_category_is_no_offers(client: httpx2.Client, mail: Mail, ledger: Database) -> None:
    sent = await mail()
    reply = client.post(sent.preferences, data={"action": "save", "pause": "0"})
    assert "Your offers are stopped" in reply.text
    assert await source_of(ledger, sent.user_id) == [("preferences_page",)]


async def test_what_an_officer_stopped_no_link_starts_again(
    client: httpx2.Client, mail: Mail, ledger: Database
) -> None:
    sent = await mail()
    client.post(sent.unsubscribe, content=ONE_CLICK, headers=FORM)
    assert await suppression_list.add(ledger, [sent.user_id], source="Client Care") == 0
    client.post(sent.unsubscribe, content=ONE_CLICK, headers=FORM)
    page = client.post(sent.preferences, data={"action": "resume"}).text
    assert "This was set by our staff." in page and "Get offers again" not in page
    assert await source_of(ledger, sent.user_id) == [("Client Care",)]


async def test_a_link_works_after_the_person_was_erased(client: httpx2.Client, mail: Mail, ledger: Database) -> None:
    sent = await mail()
    assert await erase_person(ledger, sent.user_id) == 1
    assert client.post(sent.unsubscribe, content=ONE_CLICK, headers=FORM).status_code == 200
    assert await source_of(ledger, sent.user_id) == [("one_click",)]


async def test_the_link_of_a_preview_says_so(client: httpx2.Client, add_member: AddMember, server: Serving) -> None:
    user_id = await add_member()
    body = {"input": prediction(user_id), "config": {"configurable": {"mode": "preview"}}}
    run_id = client.post("/offer/invoke", json=body).json()["output"]["run_id"]
    for purpose in ("unsubscribe", "preferences"):
        token = tokens.mint(purpose, run_id=run_id, sent_at=datetime.now(UTC), secret=token_secret(server.settings))  # type: ignore[arg-type]
        shown, posted = client.get(f"/{purpose}/{token}"), client.post(f"/{purpose}/{token}", content=ONE_CLICK)
        assert (shown.status_code, posted.status_code) == (200, 404)
        assert "This was a preview" in shown.text and "This was a preview" in posted.text
    assert next_offer(client, user_id)["recommendation"] == "offer_generated"


async def test_an_offer_not_sent_yet_is_not_sent_to_who_opted_out(
    client: httpx2.Client, mail: Mail, ledger: Database
) -> None:
    stopped, refuses, gone = await mail(), await mail(), await mail()
    moment = datetime.now(UTC)
    assert await mark_sent(ledger, [gone.run_id], moment) == {gone.run_id}
    for sent in (stopped, gone):
        client.post(sent.unsubscribe, content=ONE_CLICK, headers=FORM)
    client.post(refuses.preferences, data={"action": "save", "domain": ["Dining"], "pause": "0"})
    asked = [stopped.run_id, refuses.run_id, gone.run_id]
    assert await mark_sent(ledger, asked, moment) == {gone.run_id}


def test_a_database_that_is_down_is_told_and_nothing_is_claimed(
    postgres_url: str, shared_settings: Settings, shared_script: ScriptedModel
) -> None:
    with created_database(postgres_url) as url, psycopg.connect(postgres_url, autocommit=True) as admin:
        name = url.partition("?")[0].rpartition("/")[2]
        ours = shared_settings.model_copy(update={"database_url": type(shared_settings.database_url)(url)})  # type: ignore[misc]
        with Serving(ours) as serving, serving.client() as client:
            serving.until_health("healthy")
            token = tokens.mint(
                "unsubscribe", run_id="run", sent_at=datetime.now(UTC), secret=token_secret(shared_settings)
            )
            admin.execute(f'alter database "{name}" allow_connections false')  # type: ignore[arg-type]
            admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
            for method in ("GET", "POST"):
                reply = client.request(method, f"/unsubscribe/{token}", content=ONE_CLICK, headers=FORM)
                assert (reply.status_code, reply.headers["retry-after"]) == (503, "5")
                assert "Please try again" in reply.text and "may not be saved" in reply.text
            assert client.post("/unsubscribe/x", content=ONE_CLICK, headers=FORM).status_code == 404
            admin.execute(f'alter database "{name}" allow_connections true')  # type: ignore[arg-type]


def test_a_pause_that_is_over_today_is_none() -> None:
    today = date(2026, 11, 28)
    assert [_pause({"pause": (value,)}, today) for value in ("2026-11-28", "2026-11-29", "0", "90")] == [
        None, date(2026, 11, 29), None, date(2027, 2, 26),
    ]  # fmt: skip
