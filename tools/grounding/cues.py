"""Words that make a sentence of copy a condition: what enrols, lasts, covers, pays, limits, binds or costs.

`CUES` is the whole rulebook. A cue says which kind of statement stands there; `tools.grounding.licences` says which
statements of that kind an offer supports. A row may also be an allow-list: `after` holds the words that may follow
what the row names without making it a statement, so that any other word does ("the offer renews", "no refunds").
"""

from typing import Any, Final, Literal, NamedTuple

import re2  # type: ignore[import-untyped]

from tools.grounding.tokens import listed

Kind = Literal[
    "enrollment", "bound", "time", "pace", "coverage", "subject", "exclusion", "limit", "channel", "legal", "issuer",
    "credit", "cost", "return", "money", "denial", "member",
]  # fmt: skip


class Cue(NamedTuple):
    """A row of the rulebook. The last group of an allow-list row is the word that `after` may hold.

    With `near`, the pattern is a cue only in a clause that holds `near` as well.
    """

    kind: Kind
    pattern: Any
    after: frozenset[str] = frozenset()
    near: Any = None


def _row(kind: Kind, pattern: str, *, after: str = "", near: str = "") -> Cue:
    return Cue(kind, re2.compile(rf"(?i){pattern}"), frozenset(listed(after)), _near(near))


def _near(pattern: str) -> Any:
    return re2.compile(rf"(?i)\b(?:{pattern})\b") if pattern else None


PROMISE: Final = (
    "offers?|deals?|promotions?|rewards?|bonus(?:es)?|credits?|points?|cash[ -]back|discounts?|access|perks?"
    "|benefits?|savings|prize|treats?"
)
_EARNS: Final = rf"{PROMISE}|cards?|earns?|earning|use|used|valid|works?|counts?|redeem|gets?|get|rewarded|save|saves"
_CALENDAR: Final = (
    "day|days|night|week|weeks|weekends?|fortnight|month|months|quarters?|season|seasons|year|years|decade|hours?"
    "|minutes?|moments?|holidays?|winter|spring|summer|fall|autumn|statement|bill|cycle|break|semester|school|payday"
    "|birthday|anniversary|christmas|thanksgiving|easter|hanukkah|halloween|new year's|new year|super bowl|ramadan"
    "|valentine's|labor|memorial|independence|veterans|mother's|father's|presidents'?|black friday|cyber monday"
)
_SPAN: Final = (
    r"(?:(?:the|this|that|these|next|each|every|your|a|an|any|couple|few|several|some|all|whole|entire|coming|last"
    r"|first|very|early|mid|late|end|close|rest|middle|start|of|following|business|working|billing|calendar|more|many)"
    rf"[ -])*(?:{_CALENDAR})"
)
_BOUGHT: Final = (
    "merchants?|stores?|shops?|restaurants?|retailers?|hotels?|airlines?|brands?|sites?|websites?|places?|locations?"
    "|partners?|countr(?:y|ies)|cit(?:y|ies)|states?|regions?|purchases?|spending|orders?|meals?|transactions?|buys?"
    "|items?|products?|aisles?|categor(?:y|ies)|departments?|travel|trips?|flights?|stays?|rides?|tickets?|visits?"
    "|cards?|cardmembers?|members?|customers?|shoppers?|users?|amounts?|sums?|dollars?|cents?|penn(?:y|ies)|charges?"
    "|checkouts?|receipts?|bills?|fees?|taxes|tips?|subscriptions?|services?|cuisines?|menus?|deals?|offers?"
    "|discounts?|coupons?|fares?|bookings?|reservations?|plans?|events?|shows?|times?"
)
_GO_ON: Final = """
    on with from at for in of to and or when that is are was as than then if you your our the a an this instead across
    toward towards here there waiting details awaits await waits wait fits fit suits suit makes make feels feel gives
    give goes go adds add brings bring turns turn helps help per just ready together around along with'you today now
    but so into up out off over after before through by until once while because where what how
    who be been being isn't aren't 's side too also as was were like each all made chosen picked selected
"""
"""Words that follow the name of a promise and say nothing about how long, where or to whom it is due."""

CUES: Final[tuple[Cue, ...]] = (
    _row("enrollment", r"\b(?:enroll?\w*|activat\w+|activation|sign(?:ing|ed|s)?[ -]?(?:me |you |yourself )?up|opt(?:ing|ed)?[ -](?:in|out)|registration|register(?:ed|ing|s)?)\b"),
    # when
    _row("bound", r"\b(?:valid|until|till|'?til|expir\w+|expiration|deadline|good (?:until|through|till|for|over|at|in|on|all)|(?:now|runs?|lasts?|open|available|offered|enjoy it|earn|use it) (?:through|thru|until|till)|closes|ends)\b"),
    _row("bound", rf"\b(?:by|before|within|until|till|through|thru|throughout|since|past|beyond|after) {_SPAN}\b"),
    _row("bound", rf"\b(?:in|over|during|for|inside|under) {_SPAN}\b", near=f"{PROMISE}|valid|post|posts|it back|it|pay|land|lands|arrives?"),
    _row("bound", rf"\b(?:ends?|close|last day|final day|rest|remainder|lasts?|finish(?:es)?) (?:of|with|in|at|when|as|on|around|near) {_SPAN}\b"),
    _row("bound", rf"\b(?:ends?|lasts?|runs?|goes|renews?|resets?|expires?|closes?|finish(?:es)?|stops?|remains?|continues?|stays?) (?:with|when|as|while|once|after|all|on|for|forever|open|every|each|year|so|until)\b"),
    _row("time", r"\b(?:forever|for ?ever|for life|for good|for keeps|lifetime|permanent\w*|perpetual\w*|indefinite\w*|ongoing|never[ -]ending|year[ -]round|year after year|around the clock|evergreen|rolling|recurring|anniversary|any ?time|at all times|whenever|at your leisure|no end)\b"),
    _row("time", r"\b(?:(?:as|so) long as|while (?:it|they|supplies|stocks?|this|the offer|[a-z]+) lasts?|all (?:year|quarter|month|season|winter|summer|spring|fall|autumn|week)(?: long)?)\b"),
    _row("time", r"\b(?:each|every|per|a|any|once (?:a|per|every)) (?:single |calendar |billing )?(?:month|quarter|year|cycle|statement)\b|\b(?:monthly|quarterly|annual(?:ly)?|yearly|biweekly)\b"),
    _row("time", r"\b(?:each|every|once a|per|after) (?:day|week|weekend|visit|night)\b|\b(?:daily|weekly|nightly)\b", near=_EARNS),
    _row("time", r"\b(?:again and again|time and (?:time )?again|over and over|repeat\w*|as many times|many times|as often|keeps? (?:coming|renewing|going|earning|paying)|multiple times|more than once|twice over)\b"),
    _row("time", r"\bagain\b", near=_EARNS),
    _row("time", r"\b(?:renew(?:s|ed|al|able)|reset(?:s)?|extend(?:s|ed)?|extension|reopens?|rolls over|carr(?:y|ies) over|grace period|cutoff|cut-off|blackout)\b"),
    _row("pace", r"\b(?:at once|right away|straight ?away|immediate(?:ly)?|instant(?:ly|aneous\w*)?|on the spot|same[ -]day|next[ -]day|before you know it|in no time|in a flash|in a snap|in seconds|real[ -]time|overnight|without (?:delay|waiting|a wait|the wait)|no wait(?:ing)?|prompt(?:ly)?|in advance|up front|upfront)\b"),
    _row("pace", r"\b(?:automatic(?:ally)?|by itself|on its own|as soon as|the (?:moment|minute|second|instant|day) (?:you|your|it)|soon after|shortly|soon|fast(?:er)?|quick(?:ly|er)?)\b", near=f"{PROMISE}|statement|account|paid|back|happens"),
    _row("pace", r"\b(?:deposit(?:ed|s)?|credited|posts?|posted|posting|pays? out|payout|reimburse\w*|disburse\w*)\b"),
    # where, what, for whom
    _row("coverage", r"\b(?:counts?|counted|counting|qualif(?:y|ies|ied|ying|ication)|eligib\w+|appl(?:y|ies|ied|icable)|covers?|covered|coverage|includ(?:e|es|ed|ing)|accept(?:s|ed)|participat\w+|takes? part|takes? (?:it|your card)|honou?r(?:s|ed)?|recogni[sz]ed|fair game|in scope)\b"),
    _row("coverage", rf"\b(?:any|every|each|all(?: of)?(?: the| your| our| its| their)?|whichever|whatever|most|other|more|additional|countless|thousands of|hundreds of|millions of|dozens of|many) (?:\w+ )?(?:{_BOUGHT})\b"),
    _row("coverage", r"\b(?:world ?-?wide|globally?|nation ?-?wide|international(?:ly)?|abroad|overseas|coast to coast|on earth|in the world|across the (?:country|globe|world|nation|map)|every ?where|any ?where|else ?where|wherever|any(?:one|body)|every(?:one|body)|nobody|no one|anything|everything|near and far|from a to z|and (?:more|beyond|others)|et cetera|you name it)\b"),
    _row("coverage", r"\b(?:corner (?:store|shop)|neighbou?rhood|local (?:\w+ )?(?:stores?|shops?|spots?|restaurants?|favou?rites?)|around the corner|down the (?:street|road)|in town|nearby)\b"),
    _row("coverage", r"\b(?:works?|good|usable|redeemable|open|use it|accepted|available|spend it|start(?:s)?) (?:at|in|with|for|to|online|both|anywhere|wherever|on|abroad|too|like|just|the same|when) ?([a-z']*)", after="it once", near=f"{PROMISE}|it|this|works|usable|redeemable|spend it|accepted"),
    _row("coverage", r"\b(?:also|too|as well|still|even|likewise|plus|same)\b", near=f"{_EARNS}|counts?|online|in[ -]stores?|stores?|earn"),
    _row("coverage", r"\b(?:famil(?:y|ies)|friends?|guests?|kids?'?s?|child(?:ren)?|partner's|roommates?|employees?|household|co-?workers?|colleagues|anyone you|authorized users?|additional cards?|other cards?|second card|shared?) ?(?:\w+ ){0,2}(?:can|may|could|earns?|counts?|use|enroll|get|gets|join|qualify|are included|too)\b"),
    _row("coverage", r"\b(?:regardless|no matter|irrespective|even (?:if|when|though|on|after|for)|whether or not|either way|without (?:any |a )?(?:condition|restriction|exception|limit|minimum|purchase)s?|unconditional\w*|exempt\w*|except\w*|unless|provided|so long)\b"),
    # the promise and the issuer as subjects: any predicate that isn't licensed
    _row("subject", rf"\b(?:the|this|that|these|those|your|our|each|such|any|all|every|[A-Z][a-z]+) (?:\w+ ){{0,2}}?(?:{PROMISE}) (?:\w+ly |can |may |will |won't |could |might |should |must |all |do |does |don't |doesn't |have |has |had |never |always |not |even )*([a-z']+)\b", after=_GO_ON),
    _row("subject", rf"(?:^|[.!?;:,\n] ?)(?:and |then |but |so )?(?:{PROMISE}) (?:can |may |will |all |do |don't |won't |never |always |not )*([a-z']+)\b", after=_GO_ON),
    _row("subject", rf"\b(?:{PROMISE}|it|this|that|they|these) ?(?:is|are|'s|'re|isn't|aren't|was|will be|can be|may be|won't be)(?: \w+ly| not| all| just| still| now| always| never)? ([a-z']+)\b", after="""
        a an the our your yours for ready here there one simple easy waiting made new what how why where when just
        nice good great fun part on in with at to time like as so worth chosen picked selected
        meant about all by both home up that this it's called designed something small only easier from more better
        warm bright quick light set close coming enough
        """),
    _row("subject", r"(?:^|[.!?;:,\n] ?|and |but |so |then )(?:it|they) (?:can |may |will |won't |could |all |do |does |don't |doesn't |never |always |not |still |even |also |just )*([a-z']+)\b", after="""
        is are was 's all take takes pay pays feel feels look looks taste tastes sound sounds make makes show shows goes
        go help helps turn turns bring brings add adds give gives fit fits suit suits come comes get gets deserve deserves
        be do does and or starts begin begins earn earns sit sits has have had mean means happens
        """),
    _row("issuer", r"\b(?:the bank|our bank|the issuer|the company|the merchant|the partners?|merchants|management)'?s? (?:\w+ly )?([a-z']+)\b", after="you we with and or in on at below inside for that of we've are is names"),
    _row("issuer", r"\x05+ (?:\w+ly )?([a-z']+)\b", after="offer card cards cardmember cardmembers account and or for is offers in with thinks hopes has"),
    _row("issuer", r"\bwe(?: have|'ve| had)? (?:\w+ly |also |just |all )*([a-z']+)\b", after="""
        picked pick thought think chose chosen choose found find hope saved set are're put made gathered love like kept
        are believe wanted want have had know selected lined brought bring created curated built planned
        rounded packed teamed partnered could carry carried look looked enjoy say mean meant wish
        """),
    _row("issuer", r"\bwe(?:'ll| will| may| can| might| would| won't| never| cannot| can't| do| don't|'d) (?:\w+ly |also |even |always |never |not )*[a-z']+\b"),
    _row("issuer", r"\b(?:reserves?|discretion|withdraw\w*|revok\w+|terminat\w+|suspend\w*|modif(?:y|ies|ied)|amend\w*|subject to|cancel\w*|chang(?:e|es|ed|ing) (?:the|this|these|its|our|any|or end) ?(?:offer|terms|rules|reward|deal|rate)?|without notice|price[ -]match\w*|match(?:es)? any|signed off|sign off)\b"),
    # whom it binds, what it costs
    _row("legal", r"\b(?:terms?|conditions?|fine print|small print|rules?|restrict\w*|requirements?|required|requires?|exclusions?|strings|the catch|legal\w*|laws?|lawful\w*|rights?|entitle\w*|liab\w+|binding|obligat\w*|contract\w*|agreements?|consent\w*|promise[sd]?|guarante\w+|assur(?:e|ed|ance)|warrant\w*|insur\w+|fdic|ncua|protect\w*|regulat\w*|complian\w*|complies|certif\w+|official\w*|audit\w*|licen[cs]ed|approv\w+|accredit\w*|waiv\w+|void|voids|secured?|backed by|safe|safely|safety|privacy)\b"),
    _row("legal", r"\btax(?:es|ed|able|ation)?\b|\birs\b|\bincome\b|\bdeductib\w+|\breport(?:ed|able)?\b"),
    _row("credit", r"\b(?:credit (?:lines?|limits?|scores?|reports?|checks?|history|ratings?|bureaus?|files?)|(?:your|the|spending|card) limits?|affects? (?:your|the|on)|interest|loans?|lend\w*|borrow\w*|debts?|balances?|balance transfers?|overdraft\w*|mortgages?|financ\w+|installments?|pay (?:later|over time|it off)|minimum payment|late)\b"),
    _row("cost", r"\b(?:fees?|charges?|charged|surcharges?|costs?|costing|prices?|priced|free|freebies?|complimentary|gratis|on us|on the house|on me|pays? for itself|half[ -]off|cut[ -]rate|cheap\w*|bargains?|shipping|wholesale|cover (?:your|the)|you owe|owed?)\b"),
    _row("cost", r"\bpay (?:nothing|no|zero|less|later|nobody|nil|only)\b|\b(?:buy|book|shop|dine|travel|order|fly) now,? [a-z]+ later\b|\b(?:lose|losing|lost)\b"),
    _row("return", r"\b(?:refund\w*|returned|returns (?:are|do|don't|will|won't|count|earn|reduce|keep)|returning (?:it|the|an?|your)|returns? (?:it|the|your|an?|any|items?|policy)|send (?:it|them) back|bring (?:it|them) back|take (?:it|them) back|exchang\w+|money[ -]back|clawback|claw back|reverse[sd]?|change your mind|no hard feelings|keep the (?:points|reward|credit|bonus|cash|difference))\b"),
    _row("exclusion", r"\b(?:gift cards?|gift certificates?|cash advances?|balance transfers?|prepaid|money orders?|cash equivalents?|crypto\w*|wire transfers?|person[ -]to[ -]person|delivery fees?|gratuit(?:y|ies)|tips|alcohol|lottery|gambling|casinos?|sale items?|clearance|prior purchases?|past purchases?|earlier purchases?|resale|third[ -]part(?:y|ies)|exclud\w+|insurance)\b|\x07+"),
    _row("limit", r"\b(?:limit(?:s|ed)?|limitless|unlimited|endless\w*|caps?|capped|uncapped|ceiling|max(?:imum)?|minimums?|at least|at most|or (?:more|less)|no (?:more|less|fewer) than|up to|as (?:many|much|little|few)|once|twice|per (?:member|cardmember|card|account|person|household|customer)|one[ -]time|single|combin\w+|stack\w*|double[ -]dip\w*|together with|on top of|in addition|piggy ?-?back|thresholds?|quotas?|first[ -]come|supplies|quantit(?:y|ies))\b", near=f"{_EARNS}|enroll\w*|spend\w*|spending|purchases?|limits?|caps?|minimum|amount|combin\w+|stack|double[ -]dip|discount|coupons?|no|unlimited|limitless|endless|more|order"),
    # in what form
    _row("money", r"\b(?:grand|c-?notes?|benjamins?|fiddy|fivers?|tenners?|sawbucks?|hundo|bucks?|moolah|greenbacks?|smackers|quid|clams|g's|simoleons?|big bills|nickels?|dimes?|pocket (?:change|money)|fortune|small fortune|windfall|jackpot|bundle|wad|cool million|stacks of cash|six figures|figures)\b"),
    _row("money", r"\b(?:couple|few|several|some|handful|dozens?|many|loads|tons|plenty|lots|piles?)(?: of)? (?:of )?(?:hundred|thousand|hundreds|thousands|dozen|dollars|cash|money|bucks|cents)\b"),
    _row("money", r"(?-i:\b[IVXLCDM]{1,6}) ?(?:times|-?fold|points|percent|dollars|x)\b"),
    # what is denied
    _row("denial", r"\b(?:no|zero) ([a-z']+)", after="rush fuss matter wonder doubt better place time two coupon coupons longer small need other reason secret surprise telling pressure shortage"),
    _row("denial", r"\bwithout ([a-z']+)", after="leaving missing you the getting"),
    _row("denial", r"\b(?:nothing|none|neither|nary) ?([a-z']*)", after="beats like about compares better says quite tastes feels but fancy"),
    _row("denial", r"\b(?:skip|forget|drop|ditch|bypass|lose) (?:the|any|all|about|your) ([a-z' -]+)", after="line queue dishes small crowds wait dishes cooking commute takeout usual"),
    # what the member must, may and keeps
    _row("member", r"\byou (?:must|need|have to|never|always|won't|can't|cannot|don't|do not|needn't|owe|keep|still|only|are not|aren't|may not|shall|qualify|deserve it|are owed|are already|are all set)\b|\byou're (?:already|all|in|covered|set|approved|eligible|automatically|free|not|protected|qualified|entitled)\b|\b(?:pre-?)?enrolled\b|\bhave until\b"),
    _row("member", rf"\byou(?:'ll| will| can)? (?:\w+ly )?(?:see|get|receive|have|find|collect|pocket|keep) (?:the |your |it|them|these |those |all |every )(?:\w+ )?(?:{PROMISE}|it|them|back|money)?\b"),
    _row("member", rf"\b(?:get|gets|earn|redeem|use|claim|collect) (?:it|them|that|this) (?:back|again|all|anywhere|at|on|in|with|within|whenever|as|for|even|over|twice)\b"),
    _row("member", rf"\b([a-z']+),? (?:all |still |also |both |even |each )?earns?\b", after="""
        you card cards to and then can will start may could partner card's purchases who that dinner dinners they or
        merchants do enroll'd shop let's helps stay dine travel now also book again more
        """),
    _row("member", r"\b(?:held|reserved|saved|set aside|waiting list) for (?:you|members|cardmembers)\b", near="seats?|tickets?|places?|tables?|rooms?|spots?"),
)  # fmt: skip
