"""Trials and subscriptions that renew: price, renewal, date of the first charge and how to cancel (15 USC 8403)."""

from collections.abc import Mapping
from typing import Final

from tools.claims.credit_words import evidence_of, number
from tools.claims.written import Written, pattern_of, written
from tools.grounding.checks import Checks
from tools.report import Evidence
from tools.subject import Detector, Subject

_SPAN: Final = r"(?:\d+|one|two|three|six|seven|fourteen|thirty|sixty|ninety|first)"
_TRIAL: Final = pattern_of(
    rf"\b(?:free|complimentary|no cost|risk free|introductory|{_SPAN} (?:day|week|month)s?|a|your|our|the"
    rf"|this) (?:\w+ )?trials?\b",
    rf"\b(?:free|complimentary|no cost|risk free|{_SPAN} (?:day|week|month)s?)(?: [\w-]+){{0,3}} (?:memberships?"
    rf"|subscriptions?)\b",
    r"\b(?:renew\w*|continu\w*|convert\w*) (?:itself )?automatic\w*\b",
    r"\btrial (?:period|membership|subscription|offer|month|version|access)s?\b",
    r"\b(?:start|begin|try|activate|claim|enjoy|kick off|launch)(?: [\w']+){0,3} trial\b",
    r"\bauto(?:matic(?:ally)?)? ?(?:renew\w*|continu\w*|convert\w*|rolls?)\b",
    rf"\b(?:first|{_SPAN}) (?:months?|weeks?|days?)(?: [\w'\x1f]+){{0,4}} (?:free|on us|complimentary|at no (?:cost"
    rf"|charge))\b",
    r"\b(?:turns?|converts?|rolls?|becomes?|switch\w*) (?:over |automatically )*(?:in)?to a (?:paid|full|regular"
    r"|monthly|yearly|annual) (?:\w+ )?(?:plan|membership|subscription)\b",
    r"\bsubscribe (?:now|today|free|for free)\b",
)
_OTHER_TRIAL: Final = pattern_of(
    r"\b(?:clinical|court|time|field|trail) trials?\b",
    r"\bexisting (?:subscriptions?|memberships?)\b",
    r"\bno trials? (?:is|are|will)\b",
    r"\btrial and error\b",
    r"\btrial (?:size\w*|runs?|basis)\b",
)
_PRICE: Final = pattern_of(r"\$\s?\d", r"\b\d+(?:\.\d+)? dollars\b")
_RENEWS: Final = pattern_of(
    r"\b(?:renew\w*|continu\w*|recurr\w*|automatic\w*|keeps? going|goes on|rolls?|billed|charged?|bills?|charges)\b",
    r"\b(?:a|per|each|every|/) ?(?:month|mo|year|yr)\b",
    r"\bmonthly\b|\byearly\b|\bannually\b",
)
_WHEN: Final = pattern_of(
    r"\b(?:after|on|from|starting|beginning|once|when|at the end of|following|until|then|as of"
    r"|day)\b[^.!?]{0,40}\b(?:\d+|day|days|trial|month|months|period|it ends|jan\w*|feb\w*|mar\w*|apr\w*|may"
    r"|jun\w*|jul\w*|aug\w*|sep\w*|oct\w*|nov\w*|dec\w*)\b",
    r"\bday \d+\b",
    r"\bthen \$",
)
_CANCEL: Final = pattern_of(
    r"\bcancel\w*\b",
    r"\bunsubscrib\w+\b",
    r"\b(?:stop|end|turn off) (?:it|the (?:subscription|renewal|trial)|renewal|auto \w+)\b",
)

_MAIL: Final = pattern_of(r"\be ?mails?\b")
"""What is unsubscribed from there is no trial."""


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detector of trials."""

    def described(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
        """Find a trial or renewal without its price, its renewal, when it is charged and how to cancel in the copy."""
        draft = written(checks, subject)
        negative = subject.offer.get("negative_option") is True or subject.offer.get("billed_during_trial") is True
        claims = [
            each for each in draft.claims(_TRIAL) if _OTHER_TRIAL.search(each[0].around(each[1], each[2])) is None
        ]
        if not negative and not claims:
            return []
        if _is_described(draft.copy, subject):
            return []
        return [evidence_of(claims[0]) if claims else Evidence(field="body")]

    return (Detector("trial_described", ("terms", "copy"), described),)


def _is_described(copy: Written, subject: Subject) -> bool:
    price = number(subject.offer.get("addon_price_usd_month"))
    priced = copy.states("money", price) if price else copy.says(_PRICE)
    cancels = any(_MAIL.search(sentence.text) is None for _, sentence, _ in copy.say(_CANCEL))
    return priced and cancels and copy.says(_RENEWS) and copy.says(_WHEN)
