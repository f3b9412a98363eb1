import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from server.campaign.report.page import page
from server.campaign.report.reading import figures_of
from server.campaign.report.words import funnel_lines
from tests.server.campaign.planted import on_ledger
from tests.server.campaign.report.known import NAME, ROWS, plant
from tests.server.commands import Offers
from tools.database import Database


class Reader(HTMLParser):
    """What of a page is heard: headings in order, and images with their labels; `asks` is what it would load."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.labels: list[str | None] = []
        self.asks: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))
        if given.get("role") == "img":
            self.labels.append(given.get("aria-label"))
        if tag in ("script", "link", "img", "iframe") or "src" in given or "style" in given:
            self.asks.append(tag)
        if tag == "a" and not (given.get("href") or "").startswith("#"):
            self.asks.append(tag)


async def test_the_page_tells_the_figures_and_no_member(database: Database) -> None:
    await plant(database)
    figures = await figures_of(database, NAME, table="cardmember")
    text = page(figures)
    read = Reader()
    read.feed(text)
    assert read.asks == []
    assert read.headings[0] == 1 and all(
        after - before <= 1 for before, after in zip(read.headings, read.headings[1:], strict=False)
    )
    assert all(read.labels) and len(read.labels) > 30
    assert not re.search(r"\bU\d+\b|Nameless|\bk\d+\b", text)
    told = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    for words in (
        "Offers 272 67.8 % of predictions",
        "Held back 104 26.9 % of known members' predictions",
        "confidence too low 83 20.4 %",
        "No prices are set",
        "The tokens of 1 tries nobody told",
        "Passed at first 25.0 % 1 of 4; 95 %: 4.6 % to 69.9 %",
        "UDAAP-10/numbers 3 2",
        "Calls per offer 0.0478",
        "gender F (0.51)",
        "1 group of fewer than 30 members not told",
        "Allocation fault in the draft",
        "held out 5.0 % 20 20.0",
    ):
        assert words in told, words
    assert "Not the last word" not in told


async def test_the_funnels_bars_hang_where_predictions_were_lost(database: Database) -> None:
    await plant(database)
    lines = funnel_lines((await figures_of(database, NAME, table="cardmember")).funnel)
    assert [(line.count, line.start) for line in lines] == [
        (406, 0), (5, 401), (401, 0), (10, 391), (5, 386), (386, 0), (1, 385), (83, 302), (20, 282), (282, 0),
        (7, 275), (3, 272), (272, 0),
    ]  # fmt: skip


def test_the_command_writes_one_file_and_says_when_it_is_not_the_last_word(offers: Offers, database_url: str) -> None:
    on_ledger(database_url, lambda database: plant(database, state="running"))
    ran = offers("campaign", "report", NAME, "--to", "reports/known.html")
    assert (ran.code, ran.told) == (0, "report: reports/known.html")
    assert "the campaign is running: 3 predictions are open" in " ".join(ran.err.split())
    assert "<b>Not the last word.</b> Still running" in Path("reports/known.html").read_text("utf-8")
    assert [path.name for path in Path("reports").iterdir()] == ["known.html"]
    figures = json.loads(offers("campaign", "report", NAME, "--json").out)
    assert (figures["funnel"]["items"], figures["funnel"]["offers"]) == (len(ROWS), 272)
    refused = offers("campaign", "report", NAME, "--to", "reports/known.html/inside.html")
    assert refused.code != 0 and "--to is 'reports/known.html/inside.html'" in " ".join(refused.err.split())


@pytest.mark.parametrize("state", ["created", "planned", "paused", "cancelled"])
async def test_a_campaign_without_an_item_has_a_page_with_a_banner(database: Database, state: str) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into campaign (name, state) values ('fresh', %s)", (state,))
    text = page(await figures_of(database, "fresh", table="cardmember"))
    assert 'class="banner"' in text and "No offer yet." in text and "nan" not in text.lower().replace("finance", "")
