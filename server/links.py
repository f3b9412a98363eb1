"""What an email's footer links open: `/unsubscribe/{token}` (RFC 8058 one-click as well) and `/preferences/{token}`.

No login, no cookie: the token is the permission, for one purpose and one email. GET changes nothing, since mail
scanners follow links. Whatever is wrong with a token, the answer is the same.
"""

import logging
import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Final

from fastapi import FastAPI, Request, Response

from server.forms import Form, FormRefused, read_form
from server.pages import NO_PAUSE, PAUSES, Pages
from server.pipeline import Pipeline
from tools.email.tokens import LinkPurpose
from tools.errors import DatabaseUnavailable
from tools.ledger.opt_outs import Choices, OptOuts, Recipient
from tools.slots import day, join
from tools.vocabulary import DOMAINS

ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
"""The field a mailbox provider posts (RFC 8058, 3.1); the button of our page posts it too."""

Answer = Callable[[OptOuts, Recipient], Awaitable[Response]]


def add_link_routes(app: FastAPI, pipeline: Pipeline, pages: Pages) -> None:
    """Add the routes to the application. They are pages for people, so the API's description leaves them out."""

    async def opened(purpose: LinkPurpose, request: Request, token: str, answer: Answer) -> Response:
        """Answer the link's page for the member it was sent to, or say why nothing can be done here."""
        claim = pipeline.deps.mailer.claim_of_link(purpose, token)
        if claim is None:
            return pages.unknown()
        opt_outs = OptOuts(pipeline.deps.database, zone=pipeline.deps.zone)
        try:
            recipient = await opt_outs.recipient(claim.run_id)
            if recipient is None:
                return pages.preview(status=404 if request.method == "POST" else 200)
            return await answer(opt_outs, recipient)
        except FormRefused as refusal:
            return pages.refused(refusal.status, str(refusal))
        except DatabaseUnavailable:
            return pages.try_again()

    # A whole path, so that a token with a slash gets the same answer as any other that is wrong, and no redirect.
    @app.api_route("/unsubscribe/{token:path}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
    async def unsubscribe(request: Request, token: str) -> Response:
        """Show the button, or stop all offers."""

        async def answer(opt_outs: OptOuts, recipient: Recipient) -> Response:
            if request.method != "POST":
                return pages.unsubscribe(stopped=(await opt_outs.choices(recipient.user_id)).stopped)
            form = await read_form(request)
            name, value = ONE_CLICK
            if form.get(name) != (value,):
                return pages.unsubscribe(stopped=False, said="Nothing has changed yet.", status=400)
            await opt_outs.stop(recipient, source="unsubscribe_page" if "from" in form else "one_click")
            return pages.unsubscribe(stopped=True)

        return await opened("unsubscribe", request, token, answer)

    @app.api_route("/preferences/{token:path}", methods=["GET", "HEAD", "POST"], include_in_schema=False)
    async def preferences(request: Request, token: str) -> Response:
        """Show what the member wants, or change it."""

        async def answer(opt_outs: OptOuts, recipient: Recipient) -> Response:
            if request.method != "POST":
                return pages.preferences(await opt_outs.choices(recipient.user_id))
            return await _changed(await read_form(request), opt_outs, recipient, pages, pipeline.deps.today())

        return await opened("preferences", request, token, answer)


async def _changed(form: Form, opt_outs: OptOuts, recipient: Recipient, pages: Pages, today: date) -> Response:
    """Do what a preferences form asks for, and show what holds now."""
    before = await opt_outs.choices(recipient.user_id)
    action = form.get("action", ())
    if action == ("stop",) or (action == ("save",) and not form.get("domain") and not before.stopped):
        await opt_outs.stop(recipient, source="preferences_page")
    elif action == ("resume",):
        await opt_outs.resume(recipient)
    elif action == ("save",):
        wanted, paused_until = _wanted(form), _pause(form, today)
        await opt_outs.prefer(recipient, refused=set(DOMAINS) - wanted, paused_until=paused_until)
    else:
        raise FormRefused(400, "the form names no action we know")
    now = await opt_outs.choices(recipient.user_id)
    undo = _fields(before) if action == ("save",) and now != before and not now.stopped else ()
    return pages.preferences(now, said=_said(now), undo=undo)


def _wanted(form: Form) -> set[str]:
    wanted = set(form.get("domain", ()))
    if unknown := wanted.difference(DOMAINS):
        raise FormRefused(400, f"{min(unknown)[:40]!r} is no category of ours")
    return wanted


def _pause(form: Form, today: date) -> date | None:
    """Return the first day that may bring offers again: days from today, or a day of a pause that goes on."""
    match form.get("pause", (NO_PAUSE,)):
        case (value,) if value == NO_PAUSE:
            return None
        case (value,) if value in map(str, PAUSES):
            return today + timedelta(days=int(value))
        case (value,):
            try:
                until = date.fromisoformat(value)
            except ValueError:
                until = date.max
            if until <= today + timedelta(days=max(PAUSES)):
                return until if until > today else None
    raise FormRefused(400, f"a pause is {' or '.join(map(str, PAUSES))} days")


def _fields(choices: Choices) -> tuple[tuple[str, str], ...]:
    """Return the form fields that bring these choices back."""
    pause = NO_PAUSE if choices.paused_until is None else choices.paused_until.isoformat()
    return ("action", "save"), *(("domain", domain) for domain in choices.wanted), ("pause", pause)


def _said(choices: Choices) -> str:
    """Say what holds after a change."""
    if choices.stopped:
        return "Saved. We will not make any more offers to you by email."
    kinds = "all categories" if not choices.refused else join(list(choices.wanted), "and")
    if choices.paused_until is None:
        return f"Saved. You may get offers for {kinds}."
    return f"Saved. Offers are paused until {day(choices.paused_until)}. From then on you may get offers for {kinds}."


class WithoutTokens(logging.Filter):
    """Keeps links' tokens, which are permissions, out of a server's log, wherever in a path they stand."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten what is logged of a link: paths that lead nowhere and web sockets too."""
        if isinstance(record.args, tuple):
            record.args = tuple(_LINK.sub(_shortened, arg) if isinstance(arg, str) else arg for arg in record.args)
        return True


def _shortened(found: re.Match[str]) -> str:
    return f"{found[1] or ''}..."


_LINK: Final = re.compile(r"((?:unsubscribe|preferences)/).+|(?<=/)[\w-]{20,}\.[\w-]{20,}.*", re.IGNORECASE | re.DOTALL)
