"""Picture every offer type as a reader sees it, and a prompt evaluation's report: `python -m tests.pictures [FOLDER]`.

Chromium photographs real messages, built by the product's own code from approved copy, real menus and a fixed day, on a
desktop, on a phone and in a dark scheme. Needs the extra `pictures` and a Chromium on the PATH.
"""

import argparse
import io
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

from server.evaluation.report.html import html
from tests.gate.offers import Book, Compliant, compliant_offers, open_book
from tests.server.evaluation.shown import shown
from tools.email.message import Message, Person
from tools.vocabulary import OFFER_TYPES, Domain, OfferType

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"
SEND_DATE: Final = date(2026, 5, 4)
SENT_AT: Final = datetime(2026, 5, 4, 14, tzinfo=UTC)
READER: Final = Person("Amara", "amara@mail.example")
SHOWN: Final[dict[OfferType, tuple[Domain, str]]] = {
    "points_multiplier": ("Dining", "gold"),
    "statement_credit": ("Travel", "platinum"),
    "cashback": ("Retail", "basic"),
    "discount": ("Business Services", "gold"),
    "exclusive_access": ("Entertainment", "platinum"),
}
"""The domain and card each offer type is shown with."""
_COLOURS: Final = 64


class View(NamedTuple):
    """One way to look at a message: a window's width in CSS pixels, its pixels per CSS pixel and the scheme."""

    width: int
    scale: float
    scheme: str


VIEWS: Final = {"desktop": View(800, 1, "light"), "phone": View(390, 2, "light"), "dark": View(800, 1, "dark")}


def messages(book: Book) -> Iterator[tuple[OfferType, Message]]:
    """Yield one message of each offer type."""
    offers = compliant_offers(book, turns=2, send_date=SEND_DATE)
    for offer_type in OFFER_TYPES:
        domain, card_type = SHOWN[offer_type]
        fitting = [
            offer
            for offer in offers
            if (offer.terms.offer_type, offer.terms.domain, offer.subject.scope.card_type)
            == (offer_type, domain, card_type)
        ]
        persuading = [offer for offer in fitting if offer.strategy == "persuadable"]
        yield offer_type, _message(book, (persuading or fitting)[-1])


def _message(book: Book, offer: Compliant) -> Message:
    return book.mailer.render(
        run_id=offer.name,
        copy=offer.copy,
        terms=offer.terms,
        terms_text=offer.subject.text["terms"],
        person=READER,
        sent_at=SENT_AT,
    )


def photograph(pages: dict[OfferType, Message], folder: Path) -> Iterator[Path]:
    """Write `email-TYPE-VIEW.png` for each message and view; yield each path. Loads nothing over the network."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for name, view in VIEWS.items():
            context = browser.new_context(
                viewport={"width": view.width, "height": 900},
                device_scale_factor=view.scale,
                color_scheme=view.scheme,
                offline=True,
            )
            page = context.new_page()
            for offer_type, message in pages.items():
                page.set_content(message.html)
                path = folder / f"email-{offer_type.replace('_', '-')}-{name}.png"
                _save(page.screenshot(full_page=True), path)
                yield path
        browser.close()


def photograph_report(folder: Path) -> Iterator[Path]:
    """Write two pictures of the report of a made-up prompt evaluation: its verdict and one case; yield each path."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1000, "height": 760}, color_scheme="light")
        page.set_content(html(shown()))
        for name, png in (
            ("verdict", page.screenshot()),
            ("drafts", page.locator("#case-1").screenshot()),
        ):
            path = folder / f"evaluation-{name}.png"
            _save(png, path)
            yield path
        browser.close()


def _save(png: bytes, path: Path) -> None:
    """Save with a palette of the commonest colours, which keeps the theme's own exact."""
    from PIL import Image

    image = Image.open(io.BytesIO(png)).convert("RGB")
    counted = sorted(image.getcolors(image.width * image.height) or [], reverse=True)[:_COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for _, colour in counted for channel in colour])
    image.quantize(palette=palette, dither=Image.Dither.NONE).save(path, optimize=True)


def chromium() -> str:
    """Return the path of a Chromium, or end with what to install."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise SystemExit("No Chromium on the PATH: install your system's package (Debian: apt-get install chromium).")


def main() -> None:
    """Make all pictures, or only write the messages."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=IMAGES, help="where to write; default docs/images")
    parser.add_argument("--messages", action="store_true", help="write the .eml and .html files, take no picture")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    pages = dict(messages(open_book()))
    if chosen.messages:
        for offer_type, message in pages.items():
            (chosen.folder / f"{offer_type}.eml").write_bytes(message.eml)
            (chosen.folder / f"{offer_type}.html").write_text(message.html, "utf-8")
        print(f"{len(pages)} messages in {chosen.folder}")
        return
    for path in chain(photograph(pages, chosen.folder), photograph_report(chosen.folder)):
        print(f"{path.stat().st_size / 1000:6.0f} kB  {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
