"""The statements of conditions that copy may make: the closed list, in words, each tied to the fact that makes it true.

A row is a form of words with slots, as copy blocks are. `needs` names the facts of the offer that must hold (all of
them; "" means that the form is true of every offer). The form licenses cues of its `kinds` that stand inside of it, and
nothing else. {date}, {weeks}, {days}, {amount}, {count}, {merchants} and {excluded} stand for values that the offer
supports: an unsupported one never fills a slot. (a|b) are alternatives, ? makes what stands before it optional,
{words} stands for up to five words.
"""

from typing import Final, NamedTuple

from tools.grounding.cue_words import Kind


class Licence(NamedTuple):
    """A row of the list."""

    needs: str
    kinds: tuple[Kind, ...]
    form: str


def _rows(needs: str, kinds: str, *forms: str) -> tuple[Licence, ...]:
    return tuple(Licence(needs, tuple(kinds.split()), form) for form in forms)  # type: ignore[arg-type]


LICENCES: Final[tuple[Licence, ...]] = (
    # Enrolment is required: how and by when to enrol, never that one may do without.
    *_rows(
        "enroll",
        "enrollment bound subject member limit",
        "(^|[.!?;:,(\\n] ?|(tap|click|press|time|ready|remember|last day|{date}|easy|simple|below|here"
        "|button|how|sure|want|minute|moment|chance|free|like|is) to |then |and |please |first |just "
        "|simply |before you |after you |once you "
        "|when you |until you |can |you |only after you )((enroll|activate)( your| this| the| in| for"
        "| once| now| today| first| online| here| with| by| and| to| before)\\b|(enroll"
        "|activate)([.!?,;:\\n]|$))",
        "(^|[.!?;:,\\n] ?|to |and )(enroll|activate) {words}{date}",
        "enrolling takes (a|one|only a|just a) (minute|moment)",
        "enroll in under a minute",
        "(enrollment|enrolling) is (quick|simple|easy)",
        "(enrollment|enrolling) (is )?required( by {date})?",
        "enrollment (closes|ends) (on )?{date}",
        "the (last day|deadline) to enroll is {date}",
        "(one|a single|{count}|limit one|limit of one|single) enrollments?( per| for each)? ?(card"
        "|cardmember|member|account)?",
        "you have until {date} to enroll",
        "only then do your purchases earn",
        "(sign up|register|opt in) (by|before) {date}",
    ),
    *_rows(
        "enroll",
        "coverage enrollment exclusion subject",
        "purchases (made )?before you enroll (do not|don't|won't) (count|qualify|earn)",
        "only after you enroll",
    ),
    *_rows(
        "no_enroll",
        "denial enrollment member subject",
        "no (enrollment|activation|sign-?up|registration) (is )?(needed|required|necessary)",
        "you (do not|don't) (need|have) to (enroll|activate|sign up|register)( first)?",
        "there is no need to (enroll|activate|sign up|register)",
        "no need to (enroll|activate|sign up|register)",
    ),
    # When it starts and ends.
    *_rows(
        "",
        "bound time subject pace limit member",
        "(valid|good|open|available|runs?|ran|lasts?|opens?|opened|starts?|started|begins?|ends?|ended"
        "|ending|expires?|closes?|stays open|stays|is open|is valid|use it|enjoy it|until|till|by|before"
        "|through|now through) ((on|from|through|until|till|by|before|at|for|all|and|of|in|the|now|only"
        "|\\w+day,?|{date}|{days}|all|noon|midnight|end|day) ?){0,6}({date}|{days})",
        "you have until {date}",
        "deadline:? (is )?{date}",
        "(expires|ends|expiration|expiry|valid|closes):? {date}",
        "(before|after|until) {date}",
        "until your {words}(reaches|hits) {amount}",
    ),
    *_rows("", "bound time", "any day of the week", "before the first (bite|sip|course)", "after a long (day|week)"),
    *_rows("", "bound", "until ({words})(closes|opens) {date}"),
    # When it is paid.
    *_rows(
        "",
        "pace subject bound member",
        "(post|posts|posted|post to your account|appears?|arrives?|shows?|credited|reach(es)? you|land"
        "|lands|take|takes|is credited) {words}{weeks}",
        "{weeks} {words}({promise} )?(to )?(post|appear|arrive|show|reach)( \\w+){0,3}",
        "(please )?allow {words}{weeks} {words}",
        "(appears?|shows?|is credited|are credited|credited) (on|to) your (statement|account|bill)",
        "{amount} credited",
        "for (it|the details|(the )?{promise}) to (post|show|arrive|appear|reach)",
        "(in|as a) statement credits?",
    ),
    # Where and on what.
    *_rows(
        "merchants",
        "coverage member bound",
        "(works?|good|valid|use it|available|counts?|qualif(y|ies)|take part|takes part|participate) (at"
        "|with|from|for) {merchants}",
        "{merchants} (count|qualify|take part|participate|are included|are eligible|is a participating merchant)",
        "only purchases (with|at|from) {merchants} (count|qualify|earn)( {amount})?",
    ),
    *_rows("merchants", "subject", "only purchases (with|at|from) {merchants} (count|qualify|earn)( {amount})?"),
    *_rows(
        "",
        "coverage",
        "all {count}( partners| merchants| stores| restaurants| credits| brands)?",
        "to take part",
        "(spend|purchases?) {words}{amount}\\+? {words}to qualify",
        "{date} included",
        "on top of (the |your )(usual )?{amount}",
        "{amount} (or more )?{words}to qualify",
        "(an?|each|after an?|your) (qualifying|eligible) (purchase|order)s?",
        "(on|in|of|up to {amount}( in)?) (qualifying|eligible) purchases",
        "{count} (qualifying|eligible) purchases",
        "your card( ending in {count})? is eligible",
        "this eligible card",
        "(every|each) {amount}",
        "apply( a minimum spend)",
        "terms apply([.!?;:,)\\n]|$)",
        "counts? on (up to )?{amount}",
        "{amount}( minimum| minimum spend)? applies",
        "take part",
    ),
    *_rows("", "coverage bound", "valid in all \\S+( states)?, dc and u\\.s\\. territories"),
    *_rows(
        "",
        "coverage subject member",
        "(purchases?|it|order|orders|dinners?|anything beyond that) earns? (your |the |you )?(usual "
        "|regular |standard )?{amount}",
    ),
    *_rows("any_channel", "enrollment", "at the register"),
    *_rows("in_store", "enrollment", "at the register"),
    *_rows("online", "coverage channel", "only online (purchases|orders) (count|qualify)"),
    *_rows("in_store", "coverage channel", "only in-store purchases (count|qualify)"),
    # What doesn't count.
    *_rows(
        "",
        "coverage exclusion limit",
        "({excluded}|gift cards)( bought {words}| and {excluded})? ?(do not|don't|never|won't|are not"
        "|aren't) (count|qualify|earn|eligible|included)",
        "({excluded}|gift cards)( and {excluded})? (is|are) (excluded|not included|not eligible)",
        "(excludes?|excluding|excluded:?|except|not (valid )?(on|for)) ({excluded}|gift cards)( {words})?",
    ),
    *_rows("online", "coverage exclusion channel", "excludes? in-store (pickup|purchases)"),
    *_rows(
        "",
        "return legal coverage subject",
        "(are |is )?not guaranteed on returned items",
        "(returns|returned items|refunds) (reduce|lower) (the|your) {promise}( you earn)?",
    ),
    # How much and how often.
    *_rows(
        "",
        "limit subject coverage",
        "{amount} or (more|above|over)",
        "(up to|at least|at most|no more than|minimum of|minimum:?|cap of|cap:?|capped at|is capped at"
        "|limit of|maximum of|maximum is|maximum:?|limited to|a minimum of|reaches|reach the|or more than"
        "|the) {amount}( cap| limit| maximum| minimum)?",
        "minimum (spend|purchase)( of)?:? {amount}",
        "{amount} (max|maximum|minimum|min|cap|limit)( spend| purchase)?( per card)?",
        "spend:? (a total of |at least |over )?{amount}",
        "maximum (\\w+ )?\\w+:? ({count}|{amount})",
        "up to {count}( times| credits)?( more)?",
        "a minimum spend of {amount} applies",
        "once you( have|'ve)? (spend|spent|reach|hit) {words}{amount}",
        "{count}( redemptions| credits| uses| times| purchases| orders| more times)?( at most| per card| in all)?",
        "{amount} per (card|cardmember|member|account)",
        "on top of (the |your )(usual )?{amount}",
        "once per (order|purchase) {words}{amount}",
    ),
    *_rows(
        "",
        "coverage time",
        "(each|every|any) (visit|trip|stay|order|night|meal|dinner|flight|purchase) (to|at|with|from) {merchants}",
    ),
    *_rows("", "limit pace", "up to {weeks}"),
    *_rows("", "time", "(you|your team|your people) \\w+ (every|each) day"),
    *_rows("", "time", "repeat up to {count}"),
    *_rows("cap", "limit subject", "has a cap of {amount}", "with a cap of {amount}"),
    *_rows(
        "once",
        "limit",
        "(limit|limited to|just|only)? ?(one|a single|{count}) (enrollment |reward |bonus |use |offer "
        "|redemption |per )*(card|cardmember|member|account|person|enrollment|reward|bonus|use|offer"
        "|redemption)",
    ),
    *_rows("enroll", "limit", "once you enroll", "enroll once", "enrolled once"),
    *_rows("no_cap", "limit denial", "(with |there is |there's )?no caps?", "without a cap"),
    *_rows(
        "no_minimum", "limit denial", "(with |there is |there's )?no minimum( spend| purchase)?( required| needed)?"
    ),
    *_rows(
        "",
        "limit coverage",
        "single (online )?(order|purchase|enrollment)",
        "a one-time thing",
        "at once you|once (upon|in a while)",
    ),
    *_rows("access no_minimum", "denial", "no purchase (is )?(needed|required|necessary)"),
    *_rows(
        "",
        "member",
        "you need to spend {words}{amount}( or more)?( in that time)?",
        "(each|every) {amount} earns?",
        "{promise} (you )?earns?",
    ),
    *_rows(
        "", "money", "{promise}", "(per|every|each|a|the) (eligible |us )?dollar", "dollars? you spend", "{amount} cash"
    ),
    # Where to read on.
    *_rows(
        "",
        "legal coverage",
        "terms apply([.!?;:,)\\n]|$)",
        "(see|view|read|check|find) {words}(the |full "
        "|offer )?(dates and (the )?)?terms( of this {words}{promise})?( inside| below| and dates"
        "| and enroll| and conditions)?",
        "(view|see) (the )?(offer and|partners and) terms( inside)?",
        "terms (and dates )?(inside|below)",
        "terms and conditions apply",
        "see the partners, the dates and the terms",
        "(full|offer|partners and) terms (apply|inside|below)",
        "in (real |plain )?terms of",
    ),
    *_rows(
        "",
        "legal",
        "the right \\w+",
        "all right",
        "right (at|on|in|for|where|here|there|beside|next|by|from|to|up|down)",
        "(just|feels|is|feel|fits) right",
    ),
    # What the issuer does: it pays the reward.
    *_rows("", "issuer", "we('ll| will) {words}{amount}( your points| points)?", "may we \\w+"),
    *_rows("", "cost", "feel free to", "free (up|your|evenings?|afternoons?|mornings?|weekends?|hour|time)"),
)
"""Statements that copy may make."""
