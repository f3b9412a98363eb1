"""The pages that an email's unsubscribe and preferences links open, in the brand's look."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from server.health import RETRY_AFTER
from tools.email.brand import Brand
from tools.email.message import TEMPLATES as LOOK
from tools.email.theme import read_theme
from tools.ledger.opt_outs import Choices
from tools.slots import day
from tools.vocabulary import DOMAINS

TEMPLATES: Final = Path(__file__).parent / "templates"
PAUSES: Final = (30, 90)
"""Days a member may pause offers for."""
NO_PAUSE: Final = "0"


class Pages:
    """Renders pages for one brand: no script, no cookie, nothing from elsewhere, nothing kept by caches.

    TemplateFault at construction when the theme can't be read.
    """

    def __init__(self, brand: Brand) -> None:
        theme = read_theme(LOOK / "theme.toml")
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=lambda name: name is None or name.endswith(".html.j2"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        css = environment.get_template("page.css.j2").render(
            fonts=theme.fonts, sizes=theme.sizes, light=theme.light, dark=theme.dark
        )
        environment.globals |= {"brand": brand, "css": _Css(css)}
        self._notice = environment.get_template("notice.html.j2")
        self._unsubscribe = environment.get_template("unsubscribe.html.j2")
        self._preferences = environment.get_template("preferences.html.j2")
        self._headers = _headers(css)

    def unsubscribe(self, *, stopped: bool, said: str = "", status: int = 200) -> HTMLResponse:
        """Return the page with the one button, or what it says once offers are stopped."""
        heading = "You are unsubscribed" if stopped else "Unsubscribe from offers"
        return self._page(self._unsubscribe.render(heading=heading, stopped=stopped, said=said), status)

    def preferences(
        self, choices: Choices, *, said: str = "", undo: Sequence[tuple[str, str]] = (), status: int = 200
    ) -> HTMLResponse:
        """Return the page that shows and changes what a member wants; `undo` are the fields that take back a change."""
        heading = "Your offers are stopped" if choices.stopped else "Your offer preferences"
        html = self._preferences.render(
            heading=heading,
            choices=choices,
            said=said,
            undo=undo,
            domains=DOMAINS,
            pauses=_pauses(choices.paused_until),
        )
        return self._page(html, status)

    def unknown(self) -> HTMLResponse:
        """Return what every token gets that opens nothing here, whatever is wrong with it."""
        lines = (
            "It may be cut off or changed. Open the link from the email again, and take care to copy all of it.",
            "Nothing has changed.",
        )
        return self._notice_page("This link does not work", lines, 404)

    def preview(self, *, status: int) -> HTMLResponse:
        """Return the answer to a link of a message that was never issued."""
        lines = (
            "The email with this link was a preview. No member's choices belong to it, so nothing has changed.",
            "If it did reach you as a real email, tell us.",
        )
        return self._notice_page("This was a preview", lines, status)

    def try_again(self) -> HTMLResponse:
        """Return 503: the choice could not be read or is not known to be kept."""
        lines = ("We can't reach our records just now, so your choice may not be saved. Try again in a minute.",)
        return self._notice_page("Please try again", lines, 503, RETRY_AFTER)

    def refused(self, status: int, reason: str) -> HTMLResponse:
        """Return the answer to a post that could not be read."""
        lines = (f"Nothing has changed: {reason}.", "Open the link from the email, and use the button on that page.")
        return self._notice_page("Nothing has changed", lines, status)

    def _notice_page(
        self, heading: str, lines: Sequence[str], status: int, headers: dict[str, str] | None = None
    ) -> HTMLResponse:
        return self._page(self._notice.render(heading=heading, lines=lines), status, headers)

    def _page(self, html: str, status: int, headers: dict[str, str] | None = None) -> HTMLResponse:
        return HTMLResponse(html, status, headers=self._headers | (headers or {}))


class _Css(str):
    """Style text that goes into a page as it is: its every part comes from our template and the checked theme."""

    def __html__(self) -> str:
        return self


def _headers(css: str) -> dict[str, str]:
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "X-Robots-Tag": "noindex, nofollow",
    }


def _pauses(until: date | None) -> list[tuple[str, str]]:
    """Return the choices of a pause as (value, label), what holds now first."""
    held = [] if until is None else [(until.isoformat(), f"Stay paused until {day(until)}")]
    none = (NO_PAUSE, "No pause" if until is None else "End the pause")
    return [*held, none, *((str(days), f"Pause all offers for {days} days") for days in PAUSES)]
