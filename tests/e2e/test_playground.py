"""The playground in a real browser: a person fills the form, presses Start, and sees the steps and the outcome."""

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Request, expect

from graph.database import open_database
from graph.settings import Settings
from tests.e2e.test_link_pages import browser as browser
from tests.e2e.test_link_pages import pytestmark as pytestmark
from tests.e2e.test_link_pages import serving as serving
from tests.members import PROFILE, add_members
from tests.server.serving import Serving
from tests.tools.ledger.rows import rows

WRITTEN = """
select (select count(*) from offer_item), (select count(*) from decision), (select count(*) from decision_person),
    (select count(*) from offer), (select count(*) from reservation), (select count(*) from completion)
"""
FIELD = "[id='#/properties/{}-input']"
PICTURES = os.environ.get("PLAYGROUND_PICTURES")
"""A folder for pictures of the page, for people who look at it."""


def _hung_up(request: Request) -> bool:
    return request.url.endswith("/stream_log") and request.failure == "net::ERR_ABORTED"


@pytest.mark.parametrize("width", [1280, 390])
async def test_a_person_previews_an_offer_from_the_page(
    browser: Browser, serving: Serving, settings: Settings, width: int
) -> None:
    database = open_database(settings)
    await add_members(database, "USER_000006")
    page = await (await browser.new_context(viewport={"width": width, "height": 900})).new_page()
    faults: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    # The page itself hangs up on a stream that has ended; its outcome is looked for below.
    page.on("requestfailed", lambda request: _hung_up(request) or faults.append(request.url))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{serving.url}/offer/playground/")
    start = page.get_by_role("button", name="Start")

    user_id, confidence = page.locator(FIELD.format("user_id")), page.locator(FIELD.format("confidence_score"))
    await expect(user_id).to_have_value("USER_000006")  # the form begins with what works
    await expect(start).to_be_enabled()
    await confidence.fill("7")
    await expect(page.get_by_text("must be <= 1", exact=True).first).to_be_visible()
    await expect(start).to_be_disabled()
    await confidence.fill("0.9")
    await expect(start).to_be_enabled()  # the form takes a number in a moment after it was typed
    await page.locator(FIELD.format("domain")).select_option("Dining")

    await expect(page.locator(FIELD.format("domain"))).to_have_value("Dining")
    await start.click()
    body = page.locator("body")
    await expect(body).to_contain_text("offer_generated", timeout=30_000)
    for said in ('"mode": "preview"', "Dining", "offer_title", "Cardmember"):
        await expect(body).to_contain_text(said)
    text = await body.inner_text()
    for node in ("fetch", "screen", "analyze_rules", "draft", "check_compliance", "render", "record"):
        assert node in text
    assert not [word for word in (PROFILE["name"], "Wei", PROFILE["location"]) if word in text]
    if PICTURES is not None:
        await page.screenshot(
            path=Path(PICTURES) / f"playground-{width}.png",
            full_page=True,
            clip={"x": 0, "y": 0, "width": width, "height": 2000},
        )  # below it the email's HTML goes on and on

    await user_id.fill("NOBODY")
    await start.click()
    await expect(body).to_contain_text("user_not_found", timeout=30_000)
    assert await rows(database, WRITTEN) == [(0,) * 6]
    await database.aclose()
    assert {urlsplit(url).netloc for url in asked} == {urlsplit(serving.url).netloc}
    assert faults == []
