"""What copy says of persons: chosen, favoured or turned away for what they are. Regulation B, 12 CFR 1002.4."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

from tools.claims.groups import GROUP, TRAIT
from tools.claims.written import any_of, matches, signed
from tools.grounding.checks import Checks
from tools.policies.facts import PROTECTED_FACTS
from tools.report import Evidence, Stage
from tools.subject import Detector, Subject

_ANYBODY: Final = any_of(GROUP, TRAIT)
_CHOSEN: Final = (
    r"(?:picked|chosen|chose|selected|singled\s+out|hand-?picked|matched|tailored|curated"
    r"|designed|made|meant|reserved|qualif(?:y|ied))"
)
_REASON: Final = (
    r"(?:because(?:\s+of)?|since|due\s+to|based\s+(?:up)?on|thanks\s+to|given(?:\s+that)?|according\s+to|on\s+account\s+of|owing\s+to"
    rf"|judging\s+by|going\s+by|seeing\s+that|now\s+that|{_CHOSEN}\s+(?:just\s+|only\s+)?(?:for|by|from|on|to|using|with))"
)
_SELECTED: Final = any_of(
    rf"\b{_REASON}\s+(?:[\w']+\s+){{0,3}}{TRAIT}",
    rf"\b{TRAIT}(?:\s+[\w']+){{0,2}}\s+(?:told|tells?|qualif\w+|earn(?:ed|s)|got|gets?|makes?|made|says?|suggests?|means?|unlock\w*"
    r"|puts?|entitles?|gave|gives?|decided?|decides|sets?|loves?|likes?|prefers?|enjoys?)\b",
    rf"\b(?:picked|chosen|selected|singled\s+out|hand-?picked|matched)\s+(?:just\s+|only\s+|especially\s+)?for\s+(?:[\w']+\s+)?{GROUP}",
    rf"\b(?:used?|using|looked\s+at|looking\s+at|considered|checked|saw|noticed|read|went\s+by)\s+(?:[\w']+\s+){{0,2}}?{TRAIT}",
)
_DENIED: Final = any_of(
    r"\b(?:not|never|nothing|no|none|neither|nor|without|regardless|whatever|cannot|irrespective)\b", r"n't\b"
)
_CLOSED: Final = any_of(
    rf"(?:\b(?:not|never)|n't)\s+(?:[\w']+\s+)?(?:for|(?:meant|designed|intended|made|built|right|suited|suitable|open|available|offered"
    rf"|given|extended|aimed)\s+(?:for|at|to))\s+(?:[\w']+\s+){{0,2}}{GROUP}",
    rf"\b(?:only|just|exclusively|solely|strictly|reserved)\s+(?:open\s+|available\s+|offered\s+|meant\s+)?(?:for|to)\s+(?:[\w']+\s+){{0,2}}{GROUP}",
    rf"\b(?:card|offer|account|perk|program|reward|one)\s+(?:is|was)\s+(?:[\w']+\s+){{0,2}}?for\s+(?:[\w']+\s+)?{GROUP}",
    rf"\bonly\s+(?:[\w']+\s+){{0,2}}?{GROUP}\s+(?:[\w']+\s+)?(?:may|can|should|need|are|qualify|get)\b",
    rf"{GROUP}\s+(?:should|must|need\s+to|have\s+to)\s+(?:[\w']+\s+)?(?:ask|prove|bring|explain)\b",
    rf"\bfor\s+(?:[\w']+\s+)?{GROUP}\s+only\b|{GROUP}\s+only\b|\bno\s+{GROUP}(?:,|\s+(?:please|allowed|accepted|wanted))",
    rf"{GROUP}\s+(?:[\w']+\s+){{0,4}}?(?:need\s+not|needn't|should(?:n't|\s+not)|may\s+not|can(?:'t|\s*not)|(?:do|are|will)\s+not|(?:do|are|wo)n't)"
    r"\s+(?:[\w']+\s+)?(?:apply|qualify|eligible|welcome|approved?|enroll|considered|accepted|bother|expect|get|receive)",
    r"\b(?:do\s+not|don't|won't|will\s+not|never|rarely|seldom|cannot|can't|hesitate\s+to)\s+"
    rf"(?:approve|accept|lend\s+to|serve|welcome|take|issue|extend|offer|want|like)\s+(?:[\w']+\s+){{0,4}}?{GROUP}",
    rf"{GROUP}\s+(?:[\w']+\s+){{0,4}}?(?:are|get|be)\s+(?:[\w']+\s+)?(?:turned\s+(?:down|away)|declined|denied|rejected|refused|discouraged|ineligible|excluded)",
    rf"{GROUP}\s+(?:[\w']+\s+)?(?:should|may|can|must|had\s+better|might)\s+(?:[\w']+\s+)?(?:look|go|try|shop|turn)\s+(?:elsewhere|away|somewhere)",
    rf"{GROUP}\s+(?:[\w']+\s+)?(?:rarely|seldom|never|hardly|barely|almost\s+never)\s+(?:[\w']+\s+)?(?:qualify|get|apply|approved|succeed|pass)",
    rf"{GROUP}\s+(?:[\w']+\s+)?(?:pay|are\s+charged|face)\s+(?:more|higher|extra|a\s+higher)",
    rf"\b(?:prefer|favou?r|rather\s+have|would\s+rather\s+serve)\s+(?:[\w']+\s+)?{GROUP}",
    rf"\b(?:harder|difficult|unlikely|less\s+likely|not\s+easy|tough)\s+for\s+(?:[\w']+\s+)?{GROUP}",
)
_GAINS: Final = (
    r"(?:gets?|earns?|receives?|enjoys?|saves?|qualif(?:y|ies)|collects?|takes?\s+home|are\s+(?:given|offered|paid))"
)
_SIZE: Final = (
    r"(?:double|triple|twice|extra|bonus|more|less|half|higher|lower|larger|smaller|better|worse"
    r"|bigger|richer|discounts?|special)"
)
_UNEQUAL: Final = any_of(
    rf"\b{TRAIT}\s+(?:[\w']+\s+)?(?:gets?|gives?|gave|got|earns?|brings?|means|unlocks?)\b[^.!?\n]{{0,40}}(?:\$|%|\b{_SIZE}\b|\brate\b|\bcredit\b)",
    rf"{GROUP}\s+(?:[\w']+\s+){{0,2}}?{_GAINS}\b",
    rf"\b{_SIZE}\b[^.!?\n]{{0,40}}\bfor\s+(?:all\s+|our\s+)?{GROUP}",
    rf"\b{_REASON}\s+(?:[\w']+\s+){{0,3}}{TRAIT}[^.!?\n]{{0,60}}(?:\$|%|\d\s?x\b|\b{_SIZE}\b|\brate\b|\bcredit\b|\breward\b|\bpoints\b)",
    rf"(?:\$|%|\d\s?x\b|\b{_SIZE}\b|\brate\b|\bcredit\b|\breward\b|\bpoints\b)[^.!?\n]{{0,60}}\b{_REASON}\s+(?:[\w']+\s+){{0,3}}{TRAIT}",
)
_EQUAL: Final = any_of(r"\b(?:same|equal(?:ly)?|alike|no\s+matter|regardless|nobody|no\s+one|everyone)\b")
_TERRITORY: Final = any_of(
    r"puerto\s+ric", r"\bguam", r"virgin\s+islands", r"samoa", r"mariana", r"territor", r"\b(?:US-)?(?:PR|VI|GU|MP)\b"
)
_LANGUAGE: Final = any_of(r"language", r"\b(?:spanish|english|speak\w*|bilingual|translat\w*)\b", r"spanish")
_FOOTPRINT: Final = any_of(
    r"\b(?:footprint|stores?|locations?|merchant\s+availability|branch\w*|restaurants?|hotels?|reason)\b"
)


def detectors(checks: Checks) -> tuple[Detector, ...]:
    """Return the detectors of what copy, decision facts and terms say of persons."""
    reads: tuple[Stage, ...] = ("terms", "copy")
    return (
        Detector("no_protected_facts", ("member",), _no_protected_facts),
        Detector("open_to_all_places", ("terms",), _open_to_all_places),
        *(
            Detector(name, reads, partial(_said, checks, pattern, excuse))
            for name, pattern, excuse in (
                ("not_selected_by_trait", _SELECTED, _DENIED),
                ("nobody_discouraged", _CLOSED, None),
                ("same_for_everybody", _UNEQUAL, _EQUAL),
            )
        ),
    )


def _said(
    checks: Checks, pattern: Any, excuse: Any | None, subject: Subject, params: Mapping[str, object]
) -> Sequence[Evidence]:
    return tuple(matches(signed(checks, subject), pattern, excuse=excuse, needs=_ANYBODY))


def _no_protected_facts(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find protected columns among the decision facts. The value is never quoted: the report may reach a prompt."""
    return [Evidence(field=f"member.{name}") for name in sorted(PROTECTED_FACTS & subject.member.keys())]


def _open_to_all_places(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find terms that shut out territories or languages without the partners' locations as the stated reason."""
    found = []
    for text in _texts(subject.offer.get("eligibility_excludes")):
        words = text.replace("_", " ")
        named = _LANGUAGE.search(words) or (_TERRITORY.search(words) and not _FOOTPRINT.search(words))
        if named:
            found.append(Evidence(field="offer.eligibility_excludes", quote=text))
    return found


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        return (value,)
    return tuple(map(str, value)) if isinstance(value, list | tuple | set | frozenset) else ()
