"""The report of a prompt evaluation in a real browser: it fits every window and asks for nothing."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from server.evaluation.report import write_report
from tests.server.evaluation.shown import shown

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium"),
]


async def test_a_report_fits_phones_and_desks_in_both_schemes_and_asks_for_nothing(tmp_path: Path) -> None:
    written = write_report(tmp_path, shown())
    async with async_playwright() as started:
        browser = await started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page()
        asked: list[str] = []
        complaints: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        for width in (320, 390, 768, 1280):
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                await page.set_viewport_size({"width": width, "height": 800})
                await page.goto(written.html.as_uri())
                assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert set(asked) == {written.html.as_uri()}
        assert complaints == []
        sheet = await page.evaluate("getComputedStyle(document.querySelector('header.verdict')).backgroundColor")
        assert sheet == "rgb(19, 27, 39)"
        await page.click("text=Drafts")
        await page.click("ol.index a >> nth=0")
        assert page.url.endswith("#case-1")
        await browser.close()
