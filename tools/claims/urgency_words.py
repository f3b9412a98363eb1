"""The ways copy presses for time or hints at scarcity, and the calm sentences that come close."""

from typing import Final

from tools.claims.written import any_of

_OFFERED: Final = (
    r"(?:offer|deal|bonus|reward|savings?|discount|promotion|window|chance|opportunity|enrollment|it|this|they|these"
    r"|time)"
)
_SOON: Final = (
    r"(?:soon|shortly|before\s+(?:you\s+know\s+it|long)|any\s+(?:day|minute|moment)(?:\s+now)?|in\s+no\s+time|quickly"
    r"|fast)"
)
PRESSING: Final = any_of(
    r"\b(?:hurry|rush|race|dash|run,?\s+don't\s+walk)\b(?:\s+(?:up|in|over|now|to|and|before|while))*",
    r"\b(?:act|move|respond|reply|decide|jump|pounce|be)\s+(?:now|fast|quick(?:ly)?|today|soon|right\s+away"
    r"|immediately|at\s+once|swiftly)\b",
    r"\b(?:don't|do\s+not|never|no\s+time\s+to|can't\s+afford\s+to|why)\s+(?:wait|delay|hesitate|sleep\s+on|dawdle"
    r"|dilly|put\s+(?:it|this)\s+off|lose\s+(?:time|a\s+(?:minute|moment))|waste\s+(?:time|a\s+(?:minute|moment"
    r"|second)))\b",
    rf"\b(?:expir(?:es|ing|e)|end(?:s|ing)?|clos(?:es|ing)|disappear(?:s|ing)?|vanish(?:es|ing)?|go(?:es|ing)?"
    rf"|leav(?:es|ing)|gone|fad(?:es|ing))\s+(?:very\s+|really\s+|so\s+|all\s+too\s+)?{_SOON}",
    rf"\b{_OFFERED}\s*(?:is|are|'s|'re)?\s+(?:quickly\s+|fast\s+|rapidly\s+)?(?:running|slipping|ticking"
    rf"|winding)\s+(?:out|away|down|by)",
    r"\b(?:time|clock|countdown|timer)(?:'s|\s+is|\s+has)?\s+(?:running|ticking|started|begun|counting|almost\s+up"
    r"|nearly\s+up|short|of\s+the\s+essence|on)\b",
    r"\b(?:won't|will\s+not)\s+(?:\w+\s+)?(?:last|wait|stick\s+around|hang\s+around|be\s+(?:around|here|back)"
    r"|stay\s+(?:around|long)|keep)\b(?:\s+(?:long|forever))?|(?:^|\n)\s*quick\s*[!:,]|\bgoing[,.\s]+going\b|\b(?:time"
    r"|time's|time\s+is)\s+(?:\w+\s+)?(?:almost|nearly|about)\s+(?:up|out|over)\b|\bstart\s+the\s+clock\b"
    r"|\bbeat\s+the\s+(?:clock|deadline|rush)\b|(?:^|\n)\s*(?:expiring|ending)\s*[:!-]|\b(?:ends|expires"
    r"|closes)\s+within\s+(?:hours|days)\b|\bticking\b",
    r"\b(?:before\s+(?:it's|it\s+is|they're|they\s+are|time|the\s+clock)\s+(?:too\s+late|gone|over|runs?\s+out|up"
    r"|is\s+up)|before\s+(?:somebody|someone)\s+else)\b",
    rf"\b{_OFFERED}\s+(?:won't|will\s+not|can't|doesn't)\s+(?:last|wait|be\s+(?:around|here|back)|stick\s+around"
    rf"|come\s+(?:back|again|around)|stay)\b",
    r"\b(?:act|enroll|join|shop|book|grab\s+it|claim\s+it|move|go|get\s+(?:in|it|yours))\s+(?:\w+\s+)?before\s+(?:it|they|this|the\s+\w+)\s*(?:'s|is|'re|are)?\s*(?:disappear|vanish|gone|ends?\b|end\b|over|runs?\s+out|slips?|leaves?|closes?|too\s+late|expires?\b)\w*|\bget\s+(?:in|there|yours|it|them)\s+(?:quick(?:ly)?|fast|soon|now|early)\b|\btick[,.\s-]*to(?:ck|k)\b|\bbe\s+(?:quick|fast|swift|speedy)\b|\bmake\s+it\s+(?:quick|snappy|fast)\b|\bspeed(?:y)?\s+(?:up|is)\b|\bdon't\s+(?:let\s+)?(?:time|the\s+clock)\b",
    r"\bnow\s+or\s+never\b|\bonce[\s-]in[\s-]a[\s-]lifetime\b|\burgent(?:ly)?\b|\btime[\s-]sensitive\b|\bfleeting\b"
    r"|\bblink\s+and\b|\bwhile\s+you\s+(?:still\s+)?can\b|\bas\s+long\s+as\s+(?:it|they|this|the\s+offer)\s+lasts?\b"
    r"|\bwhile\s+it\s+lasts\b",
)
MISSING: Final = any_of(
    r"\b(?:don't|do\s+not|never|can't\s+afford\s+to|not\s+(?:one\s+)?to)\s+(?:want\s+to\s+"
    r"|let\s+yourself\s+)?(?:miss|lose)\s*(?:out|it|this)?\b",
    r"\b(?:don't|do\s+not|never)\s+let\s+(?:it|this|these|the\s+\w+)\s+(?:\w+\s+)?(?:slip|pass|get\s+away|go|expire)\b",
    r"\blimited[\s-]+(?:time|period|run|engagement|edition|window)\b",
    r"\bfor\s+a\s+(?:short|limited|brief)\s+(?:time|while|period|window)\b|\b(?:brief|short|narrow)\s+window\b"
    r"|\btemporary\s+offer\b|\bfor\s+now\s+only\b|\bshort[\s-]lived\b",
)
NEARLY_OVER: Final = any_of(
    r"\b(?:last|final)\s+(?:chance|call|opportunity|days?|hours?|minutes?|moments?|notice|reminder|push|countdown"
    r"|stretch|weekend)s?\b",
    r"\b(?:down\s+to\s+the\s+wire|eleventh[\s-]hour|closing\s+(?:hours|moments|days)|ends\s+imminently"
    r"|only\s+hours\s+(?:left|remain\w*|away)|just\s+hours\s+(?:left|remain\w*|away)|hours\s+(?:left|remain\w*"
    r"|to\s+go))\b",
    rf"\b{_OFFERED}\s*(?:is|are|'s|'re)?\s+(?:almost|nearly|about\s+to\s+(?:be\s+)?|practically)\s*(?:over|up|gone"
    rf"|done|ended|finished|expired?|end|expire|close|vanish|disappear|run\s+out)",
    r"\b(?:almost|nearly)\s+(?:over|gone|out\s+of\s+time)\b|\b(?:your|the|this)\s+(?:very\s+)?last\s+(?:shot|day)\b",
)
_NUMBER: Final = (
    r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|a\s+few"
    r"|a\s+couple(?:\s+of)?|a)"
)
_UNIT: Final = r"(?:more\s+|short\s+|full\s+)?(minute|hour|day|week)s?"
LEFT: Final = any_of(
    rf"\b(?:only|just)?\s*{_NUMBER}[\s-]+{_UNIT}\s+(?:left|remain\w*|to\s+go|away|until\s+(?:it|this|the)"
    rf"|before\s+(?:it|this|the\s+(?:offer|deal)))\b"
)
WITHIN: Final = any_of(
    rf"\b(?:ends?|ending|expires?|expiring|closes?|closing|gone|over|vanish\w*|disappear\w*|only|just)\s+(?:in"
    rf"|for)\s+(?:just\s+|only\s+|the\s+next\s+|less\s+than\s+|under\s+)?{_NUMBER}[\s-]+{_UNIT}\b",
    rf"\b(?:the\s+)?(?:next|coming)\s+{_NUMBER}[\s-]+{_UNIT}\s+only\b|\b(?:you(?:'ve|\s+have)\s+(?:only"
    rf"|just))\s+{_NUMBER}[\s-]+{_UNIT}\b",
    rf"\b(?:last|final)\s+{_NUMBER}[\s-]+{_UNIT}\b",
)
WINDOW: Final = any_of(
    rf"\b{_NUMBER}[\s-]+{_UNIT}[\s-]+(?:only|flash|sale|event|special|window|deal|blitz)\b|\b(?:only\s+for|for\s+only"
    rf"|for\s+just)\s+{_NUMBER}[\s-]+{_UNIT}\b"
)
NAMED: Final = any_of(
    r"\b(?:ends?|ending|expires?|expiring|closes?|closing|over|gone|until|by|through|finish\w*"
    r"|before)\s+(?:at\s+)?(today|tonight|midnight|tomorrow|this\s+week(?:end)?|the\s+end\s+of\s+(?:the\s+)?(?:day"
    r"|week))\b",
    r"\b(?:ends?|ending|expires?|expiring|closes?|closing|over|gone)\s+(?:on\s+|this\s+)?((?:mon|tues|wednes|thurs"
    r"|fri|satur|sun)day)\b",
    r"\b(today|tonight|this\s+week(?:end)?|tomorrow)(?:'s)?[\s-]+only\b|\b(?:only|just)\s+(?:for\s+)?(today|tonight"
    r"|this\s+week(?:end)?)\b|\b(today|tonight)\s+is\s+(?:the|your)\s+(?:very\s+)?last\b|\bgone\s+(tomorrow)\b",
)
FLASH: Final = any_of(
    r"\bflash\s+(?:sale|deal|offer|event|bonus|reward)s?\b|\b(?:lightning|pop[\s-]up)\s+(?:deal|offer|sale)s?\b"
)
SCARCE: Final = any_of(
    r"\b(?:only|just|fewer\s+than|less\s+than|under|(?:a\s+)?(?:few|handful\s+of|couple\s+of"
    r"|limited\s+number\s+of))\s+(?:(?:the\s+)?\d[\d,]*|\w+)?\s*(?:left|(?:more\s+)?(?:spots?|places?|seats?|slots?"
    r"|openings?|spaces?|enrollments?|vouchers?|redemptions?|bonuses|units|pieces)\b)(?:\s+(?:left|remain\w*"
    r"|available|to\s+go|open))?",
    r"\b(?:only|just|fewer\s+than|less\s+than|under|last|final|remaining)\s+(?:\d[\d,]*|a\s+(?:few|handful"
    r"|couple))\s+(?:of\s+\w+\s+)?(?:\w+\s+){0,2}(?:left|remain\w*|available|to\s+(?:grab|claim)|up\s+for\s+grabs"
    r"|in\s+stock)\b|\b(?:last|final)\s+(?:few\s+)?(?:spots?|places?|seats?|slots?|tickets?|pieces|units|rooms?)\b"
    r"|\b(?:almost|nearly)\s+(?:full|sold\s+out|out\s+of\s+stock|all\s+(?:gone|taken))\b|\bdemand\s+is\b"
    r"|\bcan't\s+keep\s+(?:\w+\s+)?in\s+stock\b",
    r"\b(?:spots?|places?|seats?|slots?|openings?|spaces?|vouchers?|enrollments?|stocks?|supplies|supply|quantities"
    r"|quantity|inventory|rewards|bonuses|offers?)\s*(?:is|are|'s|'re)?\s+(?:\w+\s+)?(?:limited|scarce|(?:running"
    r"|selling|filling|flying|disappearing|vanishing|going|dwindling|drying)(?:\s+(?:out|up|fast|off|quick(?:ly)?))?"
    r"|almost\s+gone|nearly\s+gone|going\s+fast|remain|won't\s+last)\b",
    r"\b(?:limited|scarce|few|dwindling)\s+(?:spots?|places?|seats?|slots?|openings?|spaces?|availability|quantit\w+"
    r"|supply|supplies|stock|number\s+of\s+(?:spots|enrollments|members|places|bonuses))\b",
    r"\b(?:while|as\s+long\s+as)\s+(?:supplies|stocks?|quantities|inventory|spots|they|rewards|funds)\s+lasts?\b"
    r"|\b(?:selling|sell|sells|sold|filling|fill|fills|booking)\s+(?:out\s+|up\s+)?(?:fast|quick(?:ly)?|soon)\b"
    r"|\bselling\s+out\b",
    r"\b(?:for\s+(?:only\s+)?|only\s+)?the\s+first\s+(?:\d[\d,]*|hundred|thousand|\w+\s+(?:hundred|thousand"
    r"|dozen))\s+(?:\w+\s+)?(?:members?|cardmembers?|people|customers|enrollments?|to\s+(?:enroll|sign|register|act)"
    r"|who)\b",
    r"\bfirst[\s-]come,?\s+first[\s-]served?\b|\bin\s+(?:high|hot|huge|heavy)\s+demand\b|\b(?:going|go"
    r"|gone)\s+fast\b|\bmembers\s+are\s+(?:snapping|grabbing|rushing|racing|scooping)\b|\bothers?\s+(?:are"
    r"|is)\s+(?:looking|viewing|enrolling|eyeing|grabbing)\b",
)
CALM: Final = any_of(
    r"\b(?:no|not|without|never|isn't|n't)\s+(?:need\s+(?:to|for)\s+|a\s+|any\s+|in\s+a\s+|the\s+|to\s+"
    r"|reason\s+to\s+|have\s+to\s+|your\s+)*(?:hurry|rush|race|last\s+chance|limited|final|urgent)",
    r"\b(?:in|of|your|morning|evening|holiday|lunch|dinner|gold|adrenaline|the|after|pre"
    r"|early)[\s-]+(?:a\s+)?(?:hurry|rush|race|dash)\b|\b(?:rush|race|dash)\s+(?:hour|shipping|delivery|order|day"
    r"|car|track|of)|\b(?:race|dash)\s+of\b",
    r"\b(?:miss|lose)\s+(?:out\s+on\s+)?(?:the\s+|any\s+|your\s+)?(?:terms|details|fine\s+print|steps?|date|deadline"
    r"|enrollment\s+date|connection|flight|train|sleep)",
    r"\b(?:is|are)\s*(?:not|n't)\s+(?:limited|scarce)\b|\blimited\s+to\b|\bwait\s+for\s+(?:points|the"
    r"|your)\s+(?:points|credit|cash|reward|statement)",
    r"\bdon't\s+(?:wait\s+in\s+line|rush)\b|\b(?:last|final)\s+(?:day|days|date)\s+(?:to|of|for"
    r"|is)\b[^.;!?]{0,40}\b(?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|\b(?:the|your|a)\s+urgent\s+care\b"
    r"|\bfinal\s+(?:sale|bill|price)\b",
)
