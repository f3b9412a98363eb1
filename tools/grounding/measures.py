"""A quantity, and the words that give a number its unit."""

from decimal import Decimal
from typing import Final, Literal, NamedTuple

from tools.grounding.numerals import NUMBER_WORDS
from tools.grounding.tokens import listed

Unit = Literal["money", "foreign", "percent", "multiplier", "points", "count", "days", "months", "hours", "clock"]
Edge = Literal["", "low", "high"]

SUFFIXES: Final[dict[str, tuple[Unit, Decimal]]] = {
    **dict.fromkeys(("dollar", "dollars", "buck", "bucks", "usd"), ("money", Decimal(1))),
    **dict.fromkeys(("¢", "cent", "cents"), ("money", Decimal("0.01"))),
    **dict.fromkeys(("mile", "miles", "avios", "stars", "coins"), ("foreign", Decimal(1))),
    **dict.fromkeys(("euro", "euros", "eur", "gbp", "pounds", "cad", "€", "£", "¥", "yen"), ("foreign", Decimal(1))),
    **dict.fromkeys(("%", "percent", "pct"), ("percent", Decimal(1))),
    **dict.fromkeys(("point", "points", "pt", "pts"), ("points", Decimal(1))),
    **dict.fromkeys(("fold",), ("multiplier", Decimal(1))),
    **dict.fromkeys(("day", "days"), ("days", Decimal(1))),
    **dict.fromkeys(("week", "weeks", "wk", "wks"), ("days", Decimal(7))),
    **dict.fromkeys(("month", "months", "cycle", "cycles"), ("months", Decimal(1))),
    **dict.fromkeys(("year", "years", "yr", "yrs"), ("months", Decimal(12))),
    **dict.fromkeys(("hour", "hours", "hr", "hrs"), ("hours", Decimal(1))),
    **dict.fromkeys(("minute", "minutes", "min", "mins"), ("hours", Decimal(1) / 60)),
}
PREFIXES: Final[dict[str, Unit]] = {"$": "money", "usd": "money", "€": "foreign", "£": "foreign", "¥": "foreign"}
ADJECTIVES: Final = frozenset(
    listed(
        """
        bonus extra additional more reward rewards membership travel total business calendar full whole short
        consecutive statement solid great us billing airline air
        """
    )
)
EXTRA: Final = frozenset({"extra", "additional", "more"})
TIMES_OF: Final = frozenset({"the", "more", "as", "your", "over", "points", "rewards", "on", "our", "faster"})
NOT_MULTIPLIED: Final = frozenset(
    listed("""
    check shot shots espresso espressos room rooms bed beds bill bills feature features scoop scoops decker deckers
    cheeseburger cheeseburgers burger burgers patty chocolate cream occupancy header headers breasted click tap
    play plays date dates dip stack boiler glazed pane zero edged sided layer layers crust threat
    """)
)
"""Behind "double" or "triple" these make a thing, not a multiple: a double shot pays no double points."""
FACTORS: Final = {
    **dict.fromkeys(("double", "doubles", "doubled", "doubling", "twice", "twofold"), 2),
    **dict.fromkeys(("triple", "triples", "tripled", "tripling", "thrice", "threefold", "treble"), 3),
    **dict.fromkeys(("quadruple", "quadruples", "quadrupled", "quadrupling", "fourfold"), 4),
    **dict.fromkeys(("quintuple", "quintuples", "quintupled", "fivefold"), 5),
    **dict.fromkeys(("sextuple", "sixfold"), 6),
    "sevenfold": 7,
    "eightfold": 8,
    "ninefold": 9,
    "tenfold": 10,
}
TWICE: Final = frozenset({"twice", "thrice"})
NOT_A_SHARE: Final = frozenset({"first", "second", "other", "better", "latter", "last"})
SPANS: Final = frozenset(
    {"fun", "battle", "story", "joy", "hour", "day", "week", "month", "year", "hourly", "mile", "marathon"}
)
DOLLAR: Final = frozenset({"dollar", "buck"})
RATE_WORDS: Final = frozenset({"per", "a", "an", "each", "every", "/"})
RATE_LINKS: Final = frozenset({"for", "on", "to", "with"})
QUALIFYING: Final = frozenset({"eligible", "qualifying", "us", "single", "net"})
PER: Final = RATE_WORDS | QUALIFYING
BETWEEN: Final = frozenset({"-", "to", "and", "or", "through"})
ORDINALS: Final = frozenset({"st", "nd", "rd", "th"})
LEADING: Final = frozenset({"money", "percent", "multiplier"})
COUNTED: Final = frozenset(
    listed(
        """
        times time redemptions redemption purchases purchase transactions transaction credits uses visits orders stays
        payments payment installments installment instalments instalment occasions partners partner
        merchants merchant restaurants restaurant stores store brands brand retailers
        places hotels airlines sites services names apps tools companies states territories steps step taps tap clicks
        click reward rewards bonus enrollment enrollments card member cardmember
        """
    )
)
"""Words whose number has a role of its own (roles.py) or none at all."""
COUNTABLE: Final = COUNTED | NUMBER_WORDS | SUFFIXES.keys() | ADJECTIVES | {"-"}


class Quantity(NamedTuple):
    """A number with its unit. `start`/`end` are folded offsets, `first`/`last` token indexes (last exclusive).

    Money is US dollars, days include weeks, months include years, hours include minutes, clock is minutes after
    midnight. `edge` says which end of a range it is, `noun` the word it counts, `word` that it's a factor in words.
    """

    value: Decimal
    unit: Unit
    start: int
    end: int
    first: int
    last: int
    edge: Edge = ""
    noun: str = ""
    factor: bool = False
    extra: bool = False
    rate_base: bool = False
