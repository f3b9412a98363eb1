"""What each number of a text is said to be: reward, base rate, minimum spend, cap, and so on, from the words around it.

`CUES` is the whole rulebook. A cue is a phrase before or after a number of some units; it names the roles that the
number may then have. `also` are roles it doesn't suggest by itself but goes along with: "get" suggests the reward,
and "get up to" the cap. A strong cue is settled before a weak one is heard.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from tools.grounding.measures import Quantity, Unit
from tools.grounding.tokens import Tokens, listed, low

Role = Literal[
    "reward", "ratio", "base", "extra", "minimum_spend", "spend_for_cap", "spend_total", "spend_cap", "reward_cap",
    "reward_total", "worth", "point_value", "redemptions", "merchants", "fulfillment", "validity", "enroll", "period",
    "fee", "apr", "promo_apr", "go_to_apr", "yearly", "payment", "payment_total", "price", "clock", "constant", "note",
]  # fmt: skip
Side = Literal["before", "after"]


class Cue(NamedTuple):
    """A row of the rulebook. `reach` is the most tokens between the phrase and the number."""

    side: Side
    units: frozenset[Unit]
    roles: frozenset[Role]
    also: frozenset[Role]
    reach: int
    strong: bool
    phrases: tuple[str, ...]


def _cue(
    side: Side, units: str, roles: str, phrases: str, *, also: str = "", reach: int = 3, strong: bool = True
) -> Cue:
    split = tuple(phrase.strip() for phrase in phrases.split("|"))
    return Cue(side, frozenset(units.split()), frozenset(roles.split()), frozenset(also.split()), reach, strong, split)  # type: ignore[arg-type]


_PAID: Final = "money points percent multiplier"
_CAPS: Final = "spend_cap reward_cap reward_total"
_SPEND: Final = "minimum_spend spend_for_cap spend_total"
CUES: Final[tuple[Cue, ...]] = (
    _cue("before", "money", _SPEND, "spend | spending | spent | purchases of | purchase of | order of | orders of",
         also="spend_cap", reach=2),
    _cue("before", "money", "minimum_spend spend_for_cap", "minimum | min | at least | minimum spend | over | more than"
         " | minimum purchase | minimum order | qualifying purchase of", also="spend_total"),
    _cue("before", "money", "minimum_spend spend_for_cap spend_cap", "on", reach=0),
    _cue("after", "money", "minimum_spend spend_for_cap", "or more | or over | or above | and up | + | minimum | min"
         " | purchase | order | purchase minimum", reach=1),
    _cue("after", "money", "minimum_spend spend_cap spend_for_cap spend_total", "in purchases | purchases | in spending"
         " | in spend | of purchases | on purchases | you spend | of rentals | of bookings | of stays | of orders"
         " | of meals | of tickets | of gear | in bookings | in orders", reach=2),
    _cue("before", "money points", _CAPS, "up to | as much as | no more than | not more than | capped at | cap of | cap"
         " | maximum | maximum of | maximum is | max | limit | limit of | limited to | at most | the full"),
    _cue("before", "money", "spend_cap", "first", also="minimum_spend"),
    _cue("before", "money", "spend_cap", "above | beyond | past | in excess of | exceeding", also="minimum_spend",
         reach=0),
    _cue("before", "money points", _CAPS, "the most", reach=8),
    _cue("before", "money", _SPEND, "add up to | adds up to | added up to", also=f"{_CAPS} worth", reach=0),
    _cue("before", "money", "spend_cap", "applies to | applies to a total of | counts on a total of", reach=1),
    _cue("before", "money", "minimum_spend spend_for_cap", "after | once you spend | when you spend", reach=2),
    _cue("before", "money", f"{_SPEND} {_CAPS}", "once you've spent | once you have spent | after you've spent"
         " | until you've spent | until you have spent | until you spend | stops at | stop at | ends at | end at"
         " | you reach | you hit", reach=1),
    _cue("before", "money", "reward_total worth spend_for_cap", "= | for a total of | totaling | adds up to", reach=0),
    _cue("after", "money points", _CAPS, "max | maximum | cap | limit | tops | at most", also="spend_total", reach=1),
    _cue("after", "money points", f"{_CAPS} payment_total", "total | in all | in total | overall | in aggregate"
         " | altogether", also="spend_total", reach=1),
    _cue("after", "money", "reward", "back | statement credit | credit | credits | in statement credits | off | rebate"
         " | in statement credit | cash back | cash | bonus | reward | discount | in savings | savings | come back"
         " | comes back | refund | gift card", also="reward_cap reward_total worth", reach=1),
    _cue("before", _PAID, "reward", "get | gets | getting | earn | earns | earning | receive | save | take | enjoy"
         
        " | collect | score | pocket | unlock | credit of | credit | credits | bonus of | bonus "
        "| reward of | reward",
         also="reward_cap reward_total worth extra", reach=3, strong=False),
    _cue("before", "money percent", "worth point_value", "worth | value | valued at | equal | equals | equal to"),
    _cue("after", "money", "worth point_value", "value | in value | worth", reach=1),
    _cue("before", "multiplier points count", "base", "instead of | rather than | usual | usually | normally"
         
        " | regular | regularly | standard | base | typical | typically | your ordinary | the ordinary "
        "| ordinary rate | ordinarily | up from | versus"
         " | vs | already | back to | compared to | compared with | everyday | on top of | base rate of"
         " | in place of | in lieu of | without this offer | without the offer"
         " | otherwise | others get | others earn", reach=4),
    _cue("before", "multiplier points", "base", "replacing | replaces | replaced", reach=4),
    _cue("before", "multiplier", "base", "not | from | over", reach=1),
    _cue("after", "multiplier points count", "base", "base | normally | usually | you already | you normally"
         " | you usually | on everything else | elsewhere | on other purchases | on all other purchases", reach=2),
    _cue("before", "multiplier points", "extra", "extra | additional | another", reach=1),
    _cue("after", "percent", "extra", "more | extra", reach=0),
    _cue("before", "percent", "go_to_apr reward", "then | then a | then at | after that | after that a | thereafter"
         " | afterwards | after which | reverts to | goes to | rises to | jumps to | becomes | standard"),
    _cue("after", "percent", "go_to_apr", "variable | thereafter | afterward | afterwards | after that"),
    _cue("after", "percent", "promo_apr", "promotional | introductory | intro | promo | promotional rate"
         " | introductory rate | intro rate", reach=1),
    _cue("before", "percent", "promo_apr", "promotional apr | introductory apr | intro apr | promo apr"
         " | promotional rate"
         " | introductory rate | promotional apr of | introductory apr of | intro rate of", reach=2),
    _cue("after", "percent", "apr", "apr | interest | annual percentage | annual interest", also="promo_apr go_to_apr",
         reach=3),
    _cue("before", "percent", "apr", "apr | apr of | interest rate of | apr is | rate of", also="promo_apr go_to_apr",
         reach=2),
    _cue("after", "percent", "reward", "back | off | cash back | discount | savings | rebate", reach=1),
    _cue("after", "money percent", "fee", "fee | fees | annual fee | transfer fee", reach=2),
    _cue("before", "money percent", "fee", "fee | fees | fee of | fee is", reach=2),
    _cue("after", "money", "payment price", "a month | per month | monthly | each month | every month | / mo | / month"
         " | mo", reach=0),
    _cue("after", "money", "yearly fee", "a year | per year | annually | each year | every year | yearly | / year"
         " | / yr", reach=0),
    _cue("after", "points percent multiplier", "yearly", "a month | per month | monthly | each month | every month"
         " | a week | per week | weekly | each week | every week | a year | per year | a day | per day | daily",
         reach=0),
    _cue("before", "count", "redemptions", "limit | limit of | limited to | max | maximum of | no more than | at most"
         " | up to | as many as", reach=0),
    _cue("after", "count", "redemptions", "per cardmember | per member | per card | per account | per person"
         " | per customer | per household | per cardholder | a person | a customer", reach=2),
    _cue("before", "money", "payment_total", "total of payments", reach=2),
    _cue("after", "money", "payment_total", "total of payments", reach=1),
    _cue("before", "days months", "fulfillment", "post | posts | posted | posting | allow | appear | appears | credited"
         " | arrive | arrives | fulfillment | issued | processed | delivered | applied | lands | land", reach=12),
    _cue("after", "days months", "fulfillment", "for points to post | to post | for the credit | after purchase"
         " | to appear | after a qualifying | after your purchase | after the purchase | of an eligible"
         " | after each purchase | for fulfillment | after the offer ends", reach=2),
    _cue("before", "days months", "enroll", "enroll | enrol | activate | register", reach=4),
    _cue("after", "days months", "enroll", "to enroll | to activate | to register", reach=1),
    _cue("before", "days months", "validity", "valid | you have | lasts | good for | expires | runs"
         " | offer ends", reach=4),
    _cue("before", "days months", "period", "interest | apr | payments | financing", reach=6),
    _cue("after", "days months", "period", "from account opening | from the purchase | promotional | intro", reach=3),
)  # fmt: skip
_NOUNS: Final[dict[str, Role]] = {
    **dict.fromkeys(listed("payments payment installments installment instalments instalment"), "period"),
    **dict.fromkeys(
        listed(
            """
            times time redemptions redemption purchases purchase transactions transaction credits uses visits orders
            stays occasions reward rewards bonus payments payment installments installment
            """
        ),
        "redemptions",
    ),
    **dict.fromkeys(
        listed(
            """
            partners partner merchants merchant restaurants restaurant stores store brands brand retailers places
            hotels airlines sites services names apps tools companies
            """
        ),
        "merchants",
    ),
    **dict.fromkeys(
        listed("states territories steps step taps tap clicks click enrollment enrollments card member cardmember"),
        "constant",
    ),
}
_ALL: Final[dict[Side, dict[str, list[tuple[tuple[str, ...], Cue]]]]] = {"before": {}, "after": {}}
for _row in CUES:
    for _phrase in _row.phrases:
        _words = tuple(_phrase.split())
        _ALL[_row.side].setdefault(_words[-1 if _row.side == "before" else 0], []).append((_words, _row))
for _table in _ALL.values():
    for _rows in _table.values():
        _rows.sort(key=lambda row: -len(row[0]))
_FARTHEST: Final = {side: max(cue.reach for cue in CUES if cue.side == side) for side in _ALL}
_STOPS: Final = frozenset({",", ";", "(", ")", "!", "?"})


def roles_of(tokens: Tokens, quantities: Sequence[Quantity], at: int) -> frozenset[Role]:
    """Return the roles the words around a quantity leave open to it; none when they say nothing."""
    quantity = quantities[at]
    if quantity.rate_base:
        return frozenset({"constant"})
    if quantity.unit == "clock":
        return frozenset({"clock"})
    if quantity.factor:
        return frozenset({"reward", "ratio"})
    if quantity.extra and quantity.unit in ("multiplier", "points"):
        return frozenset({"extra"})
    if quantity.unit == "count" and quantity.noun == "times" and quantity.extra:
        return frozenset({"extra"})
    if quantity.unit == "count" and quantity.noun in _NOUNS:
        return frozenset({_NOUNS[quantity.noun]})
    floor = quantities[at - 1].last if at else 0
    roof = quantities[at + 1].first if at + 1 < len(quantities) else len(tokens)
    if quantity.edge == "low":
        roof = len(tokens)
    cues = _cues(tokens, quantity, "after", roof)
    if quantity.edge == "high" or (at and low(tokens, floor) in ("-", "or") and quantity.first - floor == 1):
        cues += _cues(tokens, quantities[at - 1], "before", 0)
    cues += _cues(tokens, quantity, "before", floor)
    if not cues:
        return frozenset()
    cues.sort(key=lambda found: (not found[1].strong, found[0]))
    settled = cues[0][1]
    open_roles, wide = settled.roles, settled.roles | settled.also
    for _, cue in cues[1:]:
        narrowed = wide & (cue.roles | cue.also)
        if cue.roles != settled.roles and narrowed:
            open_roles, wide = narrowed, narrowed
    return open_roles


def _cues(tokens: Tokens, quantity: Quantity, side: Side, bound: int) -> list[tuple[int, Cue]]:
    """Return the cues on one side, each with its distance, up to the bound, the sentence's end or a comma."""
    table, sentence = _ALL[side], tokens[quantity.first].sentence
    found: list[tuple[int, Cue]] = []
    step = -1 if side == "before" else 1
    at = quantity.first - 1 if side == "before" else quantity.last
    for distance in range(_FARTHEST[side] + 1):
        if not (bound <= at if side == "before" else at < bound) or tokens[at].sentence != sentence:
            break
        word = tokens[at].low
        if word in _STOPS:
            break
        for words, cue in table.get(word, ()):
            if distance <= cue.reach and quantity.unit in cue.units and _matches(tokens, words, at, side):
                found.append((distance, cue))
                break
        at += step
    return found


def _matches(tokens: Tokens, words: tuple[str, ...], at: int, side: Side) -> bool:
    if len(words) == 1:
        return True  # the table that the row was found in says so
    first = at - len(words) + 1 if side == "before" else at
    return all(low(tokens, first + step) == word for step, word in enumerate(words))
