"""Where, on what and for whom an offer is good; what it, and the bank that makes it, do."""

from typing import Final

from tools.grounding.cue_words import BOUGHT, COVERS, EARNS, GO_ON, OUTINGS, PROMISE, Cue, row

REACH_CUES: Final[tuple[Cue, ...]] = (
    row(
        "coverage",
        r"\b(?:counts?|counted|counting|qualif(?:y|ies|ied|ying|ication)|eligib\w+|appl(?:y|ies|ied"
        r"|icable)|covers?|covered|coverage|includ(?:e|es|ed|ing)|accept(?:s|ed)|participat\w+|takes? part"
        r"|takes? (?:it|your card)|honou?r(?:s|ed)?|recogni[sz]ed|fair game|in scope)\b",
    ),
    row(
        "coverage",
        rf"\b(?:any|every|each|all(?: of)?(?: the| your| our| its| their)?|whichever|whatever|most|other"
        rf"|more|additional|countless|thousands of|hundreds of|millions of|dozens of"
        rf"|many) (?:\w+ )?(?:{BOUGHT})\b",
    ),
    row(
        "coverage",
        rf"\b(?:any|every|each|all(?: of)?(?: the| your| our)?|most|other|more"
        rf"|additional) (?:\w+ )?(?:{OUTINGS})\b",
        near=EARNS,
    ),
    row("coverage", r"\b(?:wherever|anywhere|anything|everything|whatever|all of it)\b", near=f"{COVERS}|yours"),
    row(
        "coverage",
        r"\b(?:give|pass|lend|hand|send|transfer|gift|share) (?:it|the|this|your|them)\b",
        near="friends?|famil(?:y|ies)|others|someone|anyone|along|transfer|gift",
    ),
    row("coverage", r"\b(?:transferable|transfer)\b"),
    row(
        "coverage",
        r"\b(?:world ?-?wide|globally?|nation ?-?wide|international(?:ly)?|abroad|overseas|coast to coast"
        r"|on earth|in the world|across the (?:country|globe|world|nation|map)|every ?where|else ?where"
        r"|any(?:one|body)|every(?:one|body)|nobody|no one|near and far|from a to z|and (?:more|beyond"
        r"|others)|et cetera|you name it)\b",
    ),
    row(
        "coverage",
        r"\b(?:corner (?:store|shop)|neighbou?rhood|local (?:\w+ )?(?:stores?|shops?|spots?|restaurants?"
        r"|favou?rites?)|around the corner|down the (?:street|road)|in town|nearby)\b",
    ),
    row(
        "coverage",
        r"\b(?:works?|good|usable|redeemable|open|use it|accepted|available|spend it) (?:at|in|with|for|to"
        r"|online|both|anywhere|wherever|on|abroad|too|like|just|the same|when)\b",
        near=f"{PROMISE}|it|this|works|usable|redeemable|spend it|accepted",
    ),
    row(
        "coverage",
        r"\b(?:also|too|as well|still|even|likewise|plus|same)\b",
        near=f"{EARNS}|counts?|online|in[ -]stores?|stores?|earn",
    ),
    row(
        "coverage",
        r"\b(?:famil(?:y|ies)|friends?|guests?|kids?'?s?|child(?:ren)?|partner's|roommates?|employees?"
        r"|household|co-?workers?|colleagues|anyone you|authorized users?|additional cards?|other cards?"
        r"|second card|shared?) ?(?:\w+ ){0,2}(?:can|may|could|earns?|counts?|use|enroll|get|gets|join"
        r"|qualify|are included|too)\b",
    ),
    row(
        "coverage",
        r"\b(?:regardless|no matter|irrespective|even (?:if|when|though|on|after|for)|whether or not"
        r"|either way|without (?:any |a )?(?:condition|restriction|exception|limit|minimum|purchase)s?"
        r"|unconditional\w*|exempt\w*|except\w*|unless|provided|so long)\b",
    ),
    row(
        "coverage",
        r"\b(?:earns?|earning|redeem(?:s|ed)?|collects?|us(?:e|ing) (?:it|this|them|the (?:offer|credit|points"
        r"|reward|discount)))(?: \x04+)?(?: more| extra| bonus)?(?: points| credits?| cash back| rewards?)?"
        r" (?:on|for|in|near|before|after|whenever|as|while) ([a-z']+)\b",
        after="""
        fun tech travel dining work meals food dinner lunch trips entertainment electronics retail business the your our
        purchases what eligible qualifying up a an you each every it place them
        """,
    ),
    row(
        "coverage",
        r"\b(?:part of (?:it|this|the (?:offer|deal))|thrown in|bundled|comes? along"
        r"|(?:is|are) (?:all )?(?:welcome|fine|okay|ok|good|in|allowed|permitted)|both of you|all of you"
        r"|the two of you"
        r"|that works|alike|near you|(?:credit|offer|it|points|reward) there)\b",
        near=rf"{EARNS}|purchases?|orders?|deal|collect|bookings?|upgrades?|that works",
    ),
    row("coverage", r"\b(?:upgrades?|add-ons?|extras) (?:is|are|come|comes)\b"),
    row(
        "subject",
        rf"\b(?:the|this|that|these|those|your|our|each|such|any|all|every"
        rf"|(?-i:[A-Z][a-z]+)) (?:\w+ ){{0,2}}?(?:{PROMISE}) (?:\w+ly |can |may |will |won't |could |might "
        rf"|should |must |all |do |does |don't |doesn't |have |has |had |never |always |not "
        rf"|even )*([a-z']+)\b",
        after=GO_ON,
    ),
    row(
        "subject",
        rf"(?:^|[.!?;:,\n] ?)(?:and |then |but |so )?(?:{PROMISE}) (?:can |may |will |all |do |don't "
        rf"|won't |never |always |not )*([a-z']+)\b",
        after=GO_ON,
    ),
    row(
        "subject",
        rf"\b(?:{PROMISE}) ?(?:is|are|'s|'re|isn't|aren't|was|will be|can be|may be"
        rf"|won't be)(?: \w+ly| not| all| just| still| now| always| never)? ([a-z']+)\b",
        after="""
        a an the our your yours for ready here there one simple easy waiting made new what how why where when just
        nice good great fun part on in with at to time like as so worth chosen picked selected
        meant about all by both home up that this it's called designed something small only easier from more better
        warm bright quick light set close coming enough
        """,
    ),
    row(
        "subject",
        r"\b(?:it|this|that|they|these) ?(?:is|are|'s|'re|isn't|aren't|was|will be|can be|may be"
        r"|won't be)(?: \w+ly| not| all| just| still| now| always| never)? ([a-z']+)\b",
        after="""
        a an the our your yours for ready here there one simple easy waiting made new what how why where when just
        nice good great fun part on in with at to time like as so worth chosen picked selected
        meant about all by both home up that this it's called designed something small only easier from more better
        warm bright quick light set close coming enough
        """,
        near=rf"{PROMISE}|cards?|purchases?|orders?|enroll\w*|spend|pay|use",
    ),
    row(
        "subject",
        r"(?:^|[.!?;:,\n] ?|and |but |so |then )(?:it|they) (?:can |may |will |won't |could |all |do "
        r"|does |don't |doesn't |never |always |not |still |even |also |just )*([a-z']+)\b",
        after="""
        is are was 's all take takes pay pays feel feels look looks taste tastes sound sounds make makes show shows goes
        go help helps turn turns bring brings add adds give gives fit fits suit suits come comes get gets deserve
        deserves         be do does would and or starts begin begins earn earns sit sits has have had mean means happens
        """,
    ),
    row(
        "issuer",
        r"\b(?:the bank|our bank|the issuer|the company|the merchant|the partners?|merchants"
        r"|management)'?s? (?:\w+ly )?([a-z']+)\b",
        after="you we with and or in on at below inside for that of we've are is names",
    ),
    row(
        "issuer",
        r"\x05+ (?:\w+ly )?([a-z']+)\b",
        after="offer card cards cardmember cardmembers account and or for is offers in with thinks hopes has",
    ),
    row(
        "issuer",
        r"\bwe(?: have|'ve| had)? (?:\w+ly |also |just |all )*([a-z']+)\b",
        after="""
        picked pick thought think chose chosen choose found find hope saved set are're put made gathered love like kept
        are believe wanted want have had know selected lined brought bring created curated built planned
        rounded packed teamed partnered could carry carried look looked enjoy say mean meant wish
        """,
    ),
    row(
        "issuer",
        r"\bwe(?:'ll| will| may| can| might| would| won't| never| cannot| can't| do| don't|'d) (?:\w+ly "
        r"|also |even |always |never |not )*[a-z']+\b",
    ),
    row(
        "issuer",
        r"\b(?:reserves?|discretion|withdraw\w*|revok\w+|terminat\w+|suspend\w*|modif(?:y|ies|ied)"
        r"|amend\w*|subject to|cancel\w*|chang(?:e|es|ed|ing) (?:the|this|these|its|our|any"
        r"|or end) ?(?:offer|terms|rules|reward|deal|rate)?|without notice|price[ -]match\w*"
        r"|match(?:es)? any|signed off|sign off)\b",
    ),
)
