"""The pages behind an email's links in a real browser: a person unsubscribes, and chooses what to get."""

import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from graph.database import open_database
from graph.deps import token_secret
from graph.settings import Settings
from tests.server.serving import Serving
from tests.tools.ledger.rows import CLAIM, outcome
from tools.database import Database
from tools.email import tokens
from tools.email.tokens import LinkPurpose
from tools.ledger.claims import Claims
from tools.ledger.opt_outs import Choices, OptOuts
from tools.ledger.records import Records

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]


@pytest.fixture
def serving(settings: Settings) -> Iterator[Serving]:
    with Serving(settings) as started:
        started.until_health("healthy")
        yield started


@pytest.fixture
async def database(settings: Settings, serving: Serving) -> AsyncIterator[Database]:
    opened = open_database(settings)
    claims = Claims(opened, table="cardmember", zone=ZoneInfo(settings.brand_time_zone))
    await claims.claim(CLAIM, lambda _: ())
    assert await Records(opened, zone=ZoneInfo(settings.brand_time_zone)).finish(outcome(CLAIM, cost=Decimal(1)))
    yield opened
    await opened.aclose()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        await started.close()


async def open_link(
    browser: Browser, serving: Serving, purpose: LinkPurpose, **context: object
) -> tuple[Page, list[str]]:
    """Open a link's page; return it with what the browser complained of and fetched beside the page."""
    token = tokens.mint(purpose, run_id=CLAIM.run_id, sent_at=datetime.now(UTC), secret=token_secret(serving.settings))
    page = await (await browser.new_context(**context)).new_page()  # type: ignore[arg-type]
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("request", lambda request: faults.append(request.url) if request.resource_type != "document" else None)
    await page.goto(f"{serving.url}/{purpose}/{token}")
    return page, [fault for fault in faults if not fault.endswith("/favicon.ico")]


async def test_the_button_unsubscribes_and_says_so(browser: Browser, serving: Serving, database: Database) -> None:
    opt_outs = OptOuts(database, zone=serving.pipeline.deps.zone)
    page, faults = await open_link(browser, serving, "unsubscribe")
    await expect(page).to_have_title("Unsubscribe from offers | Example Bank")
    assert await opt_outs.choices(CLAIM.user_id) == Choices()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Unsubscribe")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("not make any more offers to you")
    assert await opt_outs.choices(CLAIM.user_id) == Choices(stopped=True, resumable=True)
    await page.reload()
    await expect(page.get_by_role("heading", name="You are unsubscribed")).to_be_visible()
    assert faults == []
    assert await page.context.cookies() == []


async def test_a_person_chooses_domains_pauses_undoes_and_stops(
    browser: Browser, serving: Serving, database: Database
) -> None:
    opt_outs = OptOuts(database, zone=serving.pipeline.deps.zone)
    page, faults = await open_link(
        browser, serving, "preferences", viewport={"width": 390, "height": 844}, color_scheme="dark"
    )
    await page.get_by_label("Dining").uncheck()
    await page.get_by_label("Pause all offers for 30 days").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("you may get offers for Travel, Electronics,")
    await expect(page.get_by_label("Dining")).not_to_be_checked()
    await expect(page.get_by_label("Stay paused until")).to_be_checked()
    kept = await opt_outs.choices(CLAIM.user_id)
    assert kept.refused == {"Dining"} and kept.paused_until is not None
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_label("Dining")).to_be_checked()
    assert await opt_outs.choices(CLAIM.user_id) == Choices()
    await page.get_by_role("button", name="Stop all offers").click()
    await expect(page.get_by_role("heading", name="Your offers are stopped")).to_be_visible()
    await page.get_by_role("button", name="Get offers again").click()
    await expect(page.get_by_role("status")).to_contain_text("Saved. You may get offers for all categories.")
    assert await opt_outs.choices(CLAIM.user_id) == Choices()
    width: int = await page.evaluate("document.documentElement.scrollWidth")
    assert width == 390
    assert faults == []
