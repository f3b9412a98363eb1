"""When: how one joins, until when an offer lasts, how often and how fast it pays."""

from typing import Final

from tools.grounding.cue_words import EARNS, PROMISE, SPAN, Cue, row

TIME_CUES: Final[tuple[Cue, ...]] = (
    row(
        "enrollment",
        r"\b(?:enroll?\w*|activat\w+|activation|sign(?:ing|ed|s)?[ -]?(?:me |you |yourself )?up|opt(?:ing"
        r"|ed)?[ -](?:in|out)|registration|register(?:ed|ing|s)?)\b",
    ),
    row(
        "bound",
        r"\b(?:valid|until|till|'?til|expir\w+|expiration|deadline|good (?:until|through|till|for|over|at"
        r"|in|on|all)|(?:now|runs?|lasts?|open|available|offered|enjoy it|earn|use it) (?:through|thru"
        r"|until|till)|closes|ends)\b",
    ),
    row("bound", rf"\b(?:by|before|within|until|till|through|thru|throughout|since|past|beyond|after) {SPAN}\b"),
    row(
        "bound",
        rf"\b(?:in|over|during|for|inside|under) {SPAN}\b",
        near=f"{PROMISE}|valid|post|posts|it back|it|pay|land|lands|arrives?",
    ),
    row(
        "bound",
        rf"\b(?:ends?|close|last day|final day|rest|remainder|lasts?|finish(?:es)?) (?:of|with|in|at|when"
        rf"|as|on|around|near) {SPAN}\b",
    ),
    row(
        "bound",
        r"\b(?:(?:ends?|lasts?|runs?|renews?|resets?|expires?|closes?|finish(?:es)?|stops?) (?:with|when"
        r"|as|while|once|after|all|on|for|every|each|year|so|at)|(?:goes|remains?|continues?|stays?|lasts?"
        r"|runs?) (?:on|open|forever|valid|active|good|live|in force|available|until|as long))\b",
        near=f"{PROMISE}|it|this|that|they",
    ),
    row(
        "bound",
        r"(?:^|[.!?;:,\n] ?)(?:(?:ends?|lasts?|runs?|renews?|resets?|expires?|closes?|finish(?:es)?"
        r"|stops?) (?:with|when|as|while|once|after|all|on|for|every|each|year|so|at)|(?:goes|remains?"
        r"|continues?|stays?|lasts?|runs?) (?:on|open|forever|valid|active|good|live|in force|available"
        r"|until|as long))\b",
    ),
    row(
        "time",
        r"\b(?:forever|for ?ever|for life|for good|for keeps|lifetime|permanent\w*|perpetual\w*"
        r"|indefinite\w*|ongoing|never[ -]ending|year[ -]round|year after year|around the clock|evergreen"
        r"|rolling|recurring|anniversary|any ?time|at all times|whenever|at your leisure|no end)\b",
    ),
    row(
        "time",
        r"\b(?:(?:as|so) long as|while (?:it|they|supplies|stocks?|this|the offer|[a-z]+) lasts?"
        r"|all (?:next |this |the )?(?:year|quarter|month|season|winter|summer|spring|fall|autumn|week)(?: long)?)\b",
    ),
    row(
        "time",
        r"\b(?:each|every|per|any|once (?:a|per|every)) (?:single |calendar |billing )?(?:month|quarter"
        r"|year|cycle|statement)\b|\ba (?:month|year)\b|\b(?:monthly|quarterly|annual(?:ly)?|yearly"
        r"|biweekly)\b",
    ),
    row(
        "time",
        r"\b(?:each|every|once a|per|after) (?:day|week|weekend|visit|night)\b|\b(?:daily|weekly"
        r"|nightly)\b",
        near=EARNS,
    ),
    row(
        "time",
        r"\b(?:again and again|time and (?:time )?again|over and over|repeat\w*|as many times|many times"
        r"|as often|keeps? (?:coming|renewing|going|earning|paying)|multiple times|more than once"
        r"|twice over)\b",
    ),
    row("time", r"\bagain\b", near=EARNS),
    row(
        "time",
        r"\b(?:renew(?:s|ed|al|able)|reset(?:s)?|extend(?:s|ed)?|extension|reopens?|rolls over|carr(?:y"
        r"|ies) over|grace period|cutoff|cut-off|blackout)\b",
    ),
    row(
        "pace",
        r"\b(?:at once|right away|straight ?away|immediate(?:ly)?|instant(?:ly|aneous\w*)?|on the spot"
        r"|same[ -]day|next[ -]day|before you know it|in no time|in a flash|in a snap|in seconds"
        r"|real[ -]time|overnight|without (?:delay|waiting|a wait|the wait)|no wait(?:ing)?|prompt(?:ly)?"
        r"|in advance|up front|upfront)\b",
    ),
    row(
        "pace",
        r"\b(?:automatic(?:ally)?|by itself|on its own|as soon as|the (?:moment|minute|second|instant"
        r"|day) (?:you|your|it)|soon after|shortly|soon|fast(?:er)?|quick(?:ly|er)?)\b",
        near=f"{PROMISE}|statement|account|paid|back|happens",
    ),
    row("pace", r"\b(?:deposit(?:ed|s)?|credited|posts?|posted|posting|pays? out|payout|reimburse\w*|disburse\w*)\b"),
    row("time", r"\b(?:plenty of|lots of|loads of|enough|ample|all the) time\b", near=rf"{PROMISE}|enroll\w*|spend"),
    row("bound", r"\b(?:last|past|previous|earlier) (?:week|month|year|quarter|season|summer|winter|spring|fall)\b"),
    row(
        "bound",
        rf"\b(?:use|redeem|claim|enjoy|take) (?:it|this|them|the (?:{PROMISE})) (?:before|by|while) ([a-z']+)",
        after="you",
    ),
)
