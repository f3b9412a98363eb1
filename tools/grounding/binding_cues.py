"""Whom a statement binds and what it costs: law, credit, price, returns, limits, money and what is denied."""

from typing import Final

from tools.grounding.cue_words import EARNS, PROMISE, Cue, row

BINDING_CUES: Final[tuple[Cue, ...]] = (
    row("legal", r"\byour (?:data|information|details|identity|privacy|records?|history|profile)\b"),
    row("credit", r"\b(?:payments?|due|(?:your|next|lower|monthly|future) (?:\w+ )?bills?)\b"),
    row("money", r"\b(?:dollars?|cents?|cash|money|profit|resold|resell|sold|sell)\b"),
    row(
        "legal",
        r"\b(?:terms?|conditions?|fine print|small print|rules?|restrict\w*|requirements?|required"
        r"|requires?|exclusions?|strings|the catch|legal\w*|laws?|lawful\w*|rights?|entitle\w*|liab\w+"
        r"|binding|obligat\w*|contract\w*|agreements?|consent\w*|promise[sd]?|guarante\w+|assur(?:e|ed"
        r"|ance)|warrant\w*|insur\w+|fdic|ncua|protect\w*|regulat\w*|complian\w*|complies|certif\w+"
        r"|official\w*|audit\w*|licen[cs]ed|approv\w+|accredit\w*|waiv\w+|void|voids|secured?|backed by"
        r"|safe|safely|safety|privacy)\b",
    ),
    row("legal", r"\btax(?:es|ed|able|ation)?\b|\birs\b|\bincome\b|\bdeductib\w+|\breport(?:ed|able)?\b"),
    row(
        "credit",
        r"\b(?:credit (?:lines?|limits?|scores?|reports?|checks?|history|ratings?|bureaus?|files?)|(?:your"
        r"|the|spending|card) limits?|affects? (?:your|the|on)|interest|loans?|lend\w*|borrow\w*|debts?"
        r"|balances?|balance transfers?|overdraft\w*|mortgages?|financ\w+|installments?|pay (?:later"
        r"|over time|it off)|minimum payment|late)\b",
    ),
    row(
        "cost",
        r"\b(?:fees?|charges|charged|surcharges?|charge (?:you|for|no|extra)|costs?|costing|(?:low|lower"
        r"|lowest|same|full|half|best|any|fixed|original|beat the|match the) pric(?:e|es|ed|ing)|free"
        r"|freebies?|complimentary|gratis|on us|on the house|on me|pays? for itself|half[ -]off"
        r"|cut[ -]rate|cheap\w*|bargains?|shipping|wholesale|cover (?:your|the)|you owe|owed?)\b",
    ),
    row(
        "cost",
        r"\bpay (?:nothing|no|zero|less|later|nobody|nil|only)\b|\b(?:buy|book|shop|dine|travel|order"
        r"|fly) now,? [a-z]+ later\b|\b(?:lose|losing|lost)\b",
    ),
    row(
        "return",
        r"\b(?:refund\w*|returned|returns (?:are|do|don't|will|won't|count|earn|reduce|keep)"
        r"|returning (?:it|the|an?|your)|returns? (?:it|the|your|an?|any|items?|policy)|send (?:it"
        r"|them) back|bring (?:it|them) back|take (?:it|them) back|exchang\w+|money[ -]back|clawback"
        r"|claw back|reverse[sd]?|change your mind|no hard feelings|keep the (?:points|reward|credit|bonus"
        r"|cash|difference))\b",
    ),
    row(
        "exclusion",
        r"\b(?:gift cards?|gift certificates?|cash advances?|balance transfers?|prepaid|money orders?"
        r"|cash equivalents?|crypto\w*|wire transfers?|person[ -]to[ -]person|delivery fees?|gratuit(?:y"
        r"|ies)|tips|alcohol|lottery|gambling|casinos?|sale items?|clearance|prior purchases?"
        r"|past purchases?|earlier purchases?|resale|third[ -]part(?:y|ies)|exclud\w+|insurance)\b|\x07+",
    ),
    row(
        "limit",
        r"\b(?:limit(?:s|ed)?|limitless|unlimited|endless\w*|caps?|capped|uncapped|ceiling|max(?:imum)?"
        r"|minimums?|at least|at most|or (?:more|less)|no (?:more|less|fewer) than|up to|as (?:many|much"
        r"|little|few)|once|twice|per (?:member|cardmember|card|account|person|household|customer)"
        r"|one[ -]time|single|combin\w+|stack\w*|double[ -]dip\w*|together with|on top of|in addition"
        r"|piggy ?-?back|thresholds?|quotas?|first[ -]come|supplies|quantit(?:y|ies))\b",
        near=rf"{EARNS}|enroll\w*|spend\w*|spending|purchases?|limits?|caps?|minimum|amount|combin\w+|stack"
        rf"|double[ -]dip|discount|coupons?|no|unlimited|limitless|endless|more|order",
    ),
    row(
        "money",
        r"\b(?:grand|c-?notes?|benjamins?|fiddy|fivers?|tenners?|sawbucks?|hundo|bucks?|moolah|greenbacks?"
        r"|smackers|quid|clams|g's|simoleons?|big bills|nickels?|dimes?|pocket (?:change|money)|fortune"
        r"|small fortune|windfall|jackpot|bundle|wad|cool million|stacks of cash|six figures|figures)\b",
    ),
    row(
        "money",
        r"\b(?:couple|few|several|some|handful|dozens?|many|loads|tons|plenty|lots"
        r"|piles?)(?: of)? (?:of )?(?:hundred|thousand|hundreds|thousands|dozen|dollars|cash|money|bucks"
        r"|cents)\b",
    ),
    row("money", r"(?-i:\b[IVXLCDM]{1,6}) ?(?:times|-?fold|points|percent|dollars|x)\b"),
    row(
        "denial",
        r"\b(?:no|zero) ([a-z']+)",
        after="rush fuss matter wonder doubt better place time two coupon coupons longer small other reason "
        "secret surprise telling pressure shortage",
    ),
    row("denial", r"\bwithout ([a-z']+)", after="leaving missing you the getting"),
    row(
        "denial",
        r"\b(?:nothing|none|neither|nary) ?([a-z']*)",
        after="beats like about compares better says quite tastes feels but fancy",
    ),
    row(
        "denial",
        r"\b(?:skip|forget|drop|ditch|bypass|lose) (?:the|any|all|about|your) ([a-z']+)",
        after="line queue dishes small crowds wait dishes cooking commute takeout usual",
    ),
    row(
        "member",
        r"\byou (?:must|need|have to|never|always|won't|can't|cannot|don't|do not|needn't|owe|keep|still"
        r"|only|are not|aren't|may not|shall|qualify|deserve it|are owed|are already|are all set)\b"
        r"|\byou're (?:already|all|in|covered|set|approved|eligible|automatically|free|not|protected"
        r"|qualified|entitled)\b|\b(?:pre-?)?enrolled\b|\bhave until\b",
    ),
    row(
        "member",
        rf"\byou(?:'ll| will| can)? (?:\w+ly )?(?:see|get|receive|have|find|collect|pocket|keep) (?:the "
        rf"|your |it|them|these |those |all |every )(?:\w+ )?(?:{PROMISE}|it|them|back|money)?\b",
    ),
    row(
        "member",
        r"\b(?:get|gets|earn|redeem|use|claim|collect) (?:it|them|that|this) (?:back|again|all|anywhere|at"
        r"|on|in|with|within|whenever|as|for|even|over|twice)\b",
    ),
    row(
        "member",
        r"\b([a-z']+) (?:all |still |also |both |even |each )?earns?\b",
        after="""
        you card cards to and then can will start may could partner card's purchases who that dinner dinners they or
        merchants do enroll'd shop let's helps stay dine travel now book more already usually normally
        """,
    ),
    row(
        "member",
        r"\b(?:held|reserved|saved|set aside|waiting list) for (?:you|members|cardmembers)\b",
        near="seats?|tickets?|places?|tables?|rooms?|spots?",
    ),
    row("limit", r"\bas (?:many|much|often|frequently)(?: \w+)? as you\b"),
)
