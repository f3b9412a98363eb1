"""A date as a text mentions it, and what starts or ends on it, from the words around it."""

from typing import Final, Literal, NamedTuple

from tools.grounding.numerals import NUMBER_WORDS
from tools.grounding.tokens import Tokens, listed, low

DateRole = Literal["start", "end", "enroll"]
Mode = Literal["", "through", "by", "before", "within", "from", "after"]

_MODES: Final[dict[str, Mode]] = {
    **dict.fromkeys(("through", "thru", "until", "till", "til"), "through"),
    **dict.fromkeys(("by",), "by"),
    **dict.fromkeys(("before",), "before"),
    **dict.fromkeys(
        listed("ends ending end expires expiring expire closes closing close deadline stops finishes over last"),
        "within",
    ),
    **dict.fromkeys(listed("from start starts starting begins beginning begin opens effective since"), "from"),
    **dict.fromkeys(("after",), "after"),
}
BETWEEN: Final = frozenset({"-", "to", "through", "thru", "until", "till", "and", "by"})
_OPAQUE: Final = frozenset(
    listed("the on of at in , : ( day date is midnight after to enroll activate register earn shop spend use it for")
)
_ENROLL: Final = frozenset(
    listed(
        "enroll enrol enrolls enrolled enrolling enrollment enrolment activate activated activation register "
        "registration opt join sign"
    )
)
_USE: Final = frozenset(
    listed(
        "spend earn use shop purchase purchases dine book pay get order save receive redeem collect enjoy stay visit "
        "travel stream buy take expires expire valid"
    )
)
_COUNTING: Final = NUMBER_WORDS | {"1", "per", "no", "each"}
_REACH = 40


class DateMention(NamedTuple):
    """A day, month, year or named span of days in a text; offsets are folded, `first`/`last` token indexes.

    `name` is a key of timewords.NAMED, or "weekday". `roles` is empty when the text gives no cue. `mode` says how the
    text bounds something by it: "through", "by" and "before" close, "within" closes somewhere in it, "from" opens.
    """

    start: int
    end: int
    first: int
    last: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    part: tuple[int, int] | None = None
    last_day: bool = False
    name: tuple[str, ...] = ()
    roles: frozenset[DateRole] = frozenset()
    mode: Mode = ""

    @property
    def is_day(self) -> bool:
        """Tell a day of the calendar from a longer or a relative span."""
        return self.day is not None


CLOSING: Final = frozenset({"through", "by", "before", "within"})


def mode_before(tokens: Tokens, index: int) -> Mode:
    """Return how the words before a token bound something by the date that starts there."""
    at = index - 1
    while at >= 0 and low(tokens, at) in _OPAQUE and low(tokens, at) not in _MODES and index - at <= 6:
        at -= 1
    return _MODES.get(low(tokens, at), "") if at >= 0 and tokens[at].sentence == tokens[index].sentence else ""


def bound(tokens: Tokens, found: list[DateMention]) -> list[DateMention]:
    """Return the mentions with their roles and modes, ranges such as "December 1 to 31" included."""
    done: list[DateMention] = []
    for at, mention in enumerate(found):
        cue = mention.first
        while low(tokens, cue - 1) in ("early", "mid", "late", "-", "next", "this", "all", "the"):
            cue -= 1
        mode = mode_before(tokens, cue)
        following = found[at + 1] if at + 1 < len(found) else None
        if following and low(tokens, mention.last) in BETWEEN and following.first - mention.last <= 2:
            link = low(tokens, mention.last)
            if link != "and" or "between" in (low(tokens, cue - 1), low(tokens, cue - 2)):
                done.append(mention._replace(roles=frozenset({"start"}), mode="from"))
                continue
        if done and done[-1].mode == "from" and mention.first - done[-1].last <= 2:
            link = low(tokens, done[-1].last)
            if link in BETWEEN:
                last_role: DateRole = "enroll" if _topic(tokens, done[-1].first, mention.last) == "enroll" else "end"
                done.append(mention._replace(roles=frozenset({last_role}), mode="through"))
                continue
        done.append(mention._replace(roles=_roles(tokens, cue, mode, mention.last), mode=mode))
    return done


def _roles(tokens: Tokens, index: int, mode: Mode, after: int) -> frozenset[DateRole]:
    if mode == "":
        return frozenset()
    if mode == "from":
        return frozenset({"start", "enroll"}) if _topic(tokens, index, after) == "enroll" else frozenset({"start"})
    if mode == "after":
        return frozenset({"start", "end", "enroll"})
    topic = _topic(tokens, index, after)
    if topic:
        return frozenset({topic})
    return frozenset({"end", "enroll"}) if mode in ("by", "before") else frozenset({"end"})


def _topic(tokens: Tokens, index: int, after: int) -> DateRole | None:
    """Return whether the nearest verb of the sentence, before the date or else behind it, enrols or uses."""
    sentence = tokens[index].sentence if index < len(tokens) else -1
    for at in (*range(index - 1, max(index - _REACH, -1), -1), *range(after, min(after + 5, len(tokens)))):
        if tokens[at].sentence != sentence:
            continue
        if tokens[at].low in _ENROLL and low(tokens, at - 1) not in _COUNTING:
            return "enroll"
        if tokens[at].low in _USE:
            return "end"
    return None
