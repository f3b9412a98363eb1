"""Words for the groups of people that equal credit law protects, as parts of the patterns of `tools.claims.people`."""

from typing import Final

PEOPLE: Final = (
    r"(?:(?:card)?(?:members?|holders?)|customers?|people|persons?|folks?|applicants?|residents?|famil(?:y|ies)|households?"
    r"|borrowers?|shoppers?|travell?ers?|diners?|consumers?|users?|adults?|clients?|guests?|speakers?|accounts?"
    r"|individuals?|communit(?:y|ies)|readers?|buyers?|guys|ladies|folk)"
)
_FAITHS: Final = r"christian|muslim|jewish|hindu|buddhist|catholic|mormon|sikh|religious"
_ORIGINS: Final = (
    r"black|white|brown|asian|arab|hispanic|latin[oax]|african|indian|mexican|chinese|native|immigrant|foreign(?:-born)?"
    r"|undocumented|minority|ethnic|spanish[- ]speaking|english[- ]speaking|non-?english[- ]speaking"
)
_SEX_AGE_STATUS: Final = (
    r"male|female|gay|lesbian|transgender|older|younger|elderly|young|old|retired|senior|middle-aged|married|unmarried"
    r"|single|divorced|widowed|pregnant|disabled|unemployed|low-income"
)
BENEFITS: Final = (
    r"(?:benefits|welfare|disability|food\s+stamps|SSI|SNAP|EBT"
    r"|(?:public|government|food|housing|state)\s+(?:assistance|aid))"
)
GROUP: Final = (
    r"\b(?:(?:wo)?men|ladies|gentlemen|girls|boys|guys|moms|mums|dads|mothers|fathers|parents|husbands|wives|widows"
    r"|newlyweds|singles|bachelors|retirees|seniors|pensioners|boomers|millennials|gen\s+z|teenagers"
    r"|(?:welfare|benefits?|disability|SNAP|food\s+stamp)\s+recipients|immigrants|migrants|refugees|foreigners|(?:non-?)?citizens|(?:non-?)?native(?:\s+[a-z]+)?\s+speakers"
    r"|christians|muslims|jews|hindus|buddhists|catholics|mormons|sikhs|atheists"
    r"|hispanics|latin[oax]s|asians|arabs|africans|mexicans"
    rf"|(?:{_FAITHS}|{_ORIGINS}|{_SEX_AGE_STATUS})\s+{PEOPLE}"
    rf"|(?:{PEOPLE}|anyone|anybody|those|everyone)\s+(?:who\s+(?:is|are|lives?|gets?|receives?)\s+)?"
    rf"(?:(?:living\s+|relying\s+)?on|receiving|collecting|with)\s+{BENEFITS}"
    rf"|(?:{PEOPLE}|anyone|anybody|those|everyone)\s+(?:aged?|over|under|above|below|older\s+than|younger\s+than)\s+"
    r"(?:the\s+age\s+of\s+)?(?:\d{2}|twenty|thirty|forty|fifty|sixty|seventy|eighty)"
    rf"|{PEOPLE}\s+(?:in|from|of)\s+(?:this|that|your|these|those|some|certain|poorer|richer|better|low-income)\s+"
    r"(?:neighbou?rhoods?|areas?|parts?\s+of\s+town|zip\s+codes?|side\s+of\s+town|districts?))\b"
)
"""People named by a trait that plays no part in credit, in the plural: as copy speaks of them in general."""

TRAIT: Final = (
    r"(?:your\s+(?:age|age\s+group|gender|sex|(?:first\s+|last\s+|family\s+)?name|surname|zip(?:\s+code)?|postcode"
    r"|(?:home\s+)?address|neighbou?rhood|hometown|location|home\s+town|part\s+of\s+town|birthday|birth\s+(?:year|date)"
    r"|date\s+of\s+birth|ethnicity|race|religion|faith|marital\s+status|nationality|national\s+origin|heritage|roots"
    r"|accent|native\s+language|mother\s+tongue|preferred\s+language|skin\s+colou?r|generation)"
    r"|where\s+(?:you(?:'re|\s+are)\s+from|you\s+(?:live|were\s+born|grew\s+up|worship))|how\s+old\s+you\s+are"
    r"|you\s+live\s+(?:in|on|near|at|around)"
    r"|(?:a\s+)?(?:wo)?m[ae]n\s+(?:of\s+)?your\s+age|(?:people|members|cardmembers|someone|anyone|others|ladies|guys)\s+(?:of\s+)?your\s+age"
    r"|you(?:'re|\s+are)\s+(?:an?\s+)?(?:(?:1[89]|[2-9]\d)\b|(?:over|under|past)\s+(?:\d{2}|twenty|thirty|forty|fifty|sixty|seventy)"
    r"|(?:wo)?man\b|m(?:ale|arried|iddle-aged)\b|female|single\b|retired|widowed|divorced|senior|hispanic|latin[oax]\b|asian"
    r"|black\b|white\b|christian|muslim|jewish|hindu|catholic|immigrant))"
)
"""One protected or proxy trait of the reader, as a reason for something."""
