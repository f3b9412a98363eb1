"""The report of a campaign in a real browser: it fits every window, asks for nothing and can be read aloud."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from server.campaign.report.reading import figures_of
from server.campaign.report.writing import write_report
from tests.server.campaign.report.known import NAME, plant
from tests.tools.ledger.conftest import process

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]

UNTOLD = """() => [...document.querySelectorAll('svg')].filter(
    plot => plot.getAttribute('aria-hidden') !== 'true' && !plot.getAttribute('aria-label')).length"""
BESIDE = "() => document.querySelectorAll('table th:not([scope])').length"


async def test_a_report_fits_phones_and_desks_in_both_schemes_and_asks_for_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async with process(database_url) as database:
        await plant(database)
        figures = await figures_of(database, NAME, table="cardmember")
    written = write_report(tmp_path / "known.html", figures)
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        for width in (320, 390, 768, 1280):
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                await page.set_viewport_size({"width": width, "height": 800})
                await page.goto(written.as_uri())
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert set(asked) == {written.as_uri()}
        assert complaints == []
        sheet = await page.evaluate("getComputedStyle(document.querySelector('#funnel')).backgroundColor")
        assert sheet == "rgb(19, 27, 39)"
        assert (await page.evaluate(UNTOLD), await page.evaluate(BESIDE)) == (0, 0)
        await page.click("text=Parity")
        assert page.url.endswith("#parity")
        await page.get_by_text("Minute by minute, as a table").click()
        assert await page.get_by_role("cell", name="10,200").is_visible()
        await browser.close()
