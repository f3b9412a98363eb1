"""Text that is no prose for a member: other scripts and languages, code, logs, encoded strings, orders to a machine."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import re2  # type: ignore[import-untyped]

from tools.folding import fold
from tools.grounding.tokens import listed
from tools.hygiene.phrases import copy_of
from tools.report import Evidence
from tools.snapshot import once_for_terms
from tools.subject import Subject

_CODE: Final[Any] = re2.compile(
    "|".join(
        (
            r"\\",
            r"[=+@-][A-Z]{2,12}\(",  # formulas of a sheet
            r"\.\./|/etc/|\b[a-z]:/",
            r"'\s*\)?\s*;|;\s*--|(?m:--\s*$)|'\d'\s*=\s*'\d",
            r"(?i:\bdrop table\b|\bunion (?:all )?select\b|\bselect .{1,40} from \w+ where\b)",
            r"=\?[\w-]+\?[bqBQ]\?",  # encoded words of mail headers
            r"!![a-z]+|(?m:^)\s*(?:#{1,6}\s|-{3,}\s*$|={3,}\s*$|`{3})",
            r"\[q[0-9a-f]{4,}\]|\bq[0-9a-f]{10,}\b",
            r"(?m:^)\s*(?:subject|preheader|headline|body|cta)\s*:|\b(?:preheader|cta)\s*:",
            r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\b\d\d:\d\d:\d\d (?:INFO|DEBUG|WARN|WARNING|ERROR|CRITICAL)\b"
            r"|\[(?:INFO|DEBUG|WARN|WARNING|ERROR|CRITICAL)\]",
            r"\b[0-9a-f]{32,}\b|\S{60,}",
            r"\w_\w",  # names of fields, slots, merchants and options
        )
    )
)
_BASE64: Final[Any] = re2.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_ORDER: Final[Any] = re2.compile(
    "(?i)"
    + "|".join(
        (
            r"\b(?:judge|model|assistant|reviewer|ai)\s*:\s",
            r"\b(?:decode|decrypt|decipher|unscramble)\b|\brot ?-?13\b|\bbase ?-?64\b|\bobey\b",
            r"\b(?:policy|compliance|safety|admin|administrator) override\b",
            r"\b(?:skip|disable|switch off|turn off) (?:\w+ ){0,2}checks?\b",
            r"\bpersuadable\b|\b(?:engagement|spend|spending|category|account):? (?:is )?(?:low|medium|high|decreasing"
            r"|stable|increasing|preferred|other|established|long.standing),",  # the member as a prompt puts it
            r"\bthe (?:text|words?|prompt|message|conversation) above\b",
            r"\b(?:repeat|print|reveal|output|recite|quote) (?:\w+ ){0,3}(?:prompt|instructions|briefs?|verbatim)\b",
        )
    )
)
_PATTERNS: Final = (_CODE, _ORDER, _BASE64)
_FOREIGN: Final = tuple(
    frozenset(listed(words))
    for words in (
        "und nicht der das den dem ist alle dieses diese dieser fur mit von auf gib bitte sie ihr ihre ein eine "
        "vorherigen anweisungen ignoriere angebot frei",
        "las los todas todos esta este estas el que para por con una del y su sus ignora anteriores instrucciones "
        "aprueba oferta usted",
        "les des est tout toutes que une pour avec vous votre vos et ce cette precedentes ignore ignorez reponds "
        "repondez conforme",
        "il lo gli che per questa questo tutte tutti una con della delle ignora precedenti istruzioni approva offerta",
        "os das dos nao para esta este uma com todas todos ignore anteriores instrucoes aprove oferta voce sua",
    )
)
"""Words that hold sentences of German, Spanish, French, Italian and Portuguese together, accents folded away."""
_FOREIGN_WORDS: Final = 3
"""Different ones in one sentence that no English sentence has, names of places and shops included."""
_SENTENCE: Final = re.compile(r"[^.!?\n]+")
_WORD: Final = re.compile(r"[a-z']+")

Span = tuple[int, int]


def plain_prose(subject: Subject, params: Mapping[str, object]) -> list[Evidence]:
    """Find text that is no English prose: what a program, a sheet, a log or a model would read."""
    draft = copy_of(subject)
    # One look at the whole copy settles the common case: nothing there.
    patterns = [pattern for pattern in _PATTERNS if pattern.search(draft)]
    foreign = _is_foreign(draft.decode().lower())
    found: list[Evidence] = []
    for field, text in subject.text.items():
        if field == "terms" and text:
            found += once_for_terms(
                subject, "prose", lambda: _in_field("terms", subject.text["terms"], _PATTERNS, True)
            )
        elif text:
            found += _in_field(field, text, patterns, foreign)
    return found


def _in_field(field: str, text: str, patterns: Sequence[Any], foreign: bool) -> list[Evidence]:
    whole = fold(text)
    spans = {span for pattern in patterns for span in _matches(pattern, whole.text)}
    spans |= set(_foreign(whole.text.lower())) if foreign else set()
    placed = {whole.span(start, end) for start, end in spans} | set(_other_scripts(whole.original))
    return [
        Evidence(field=field, quote=whole.original[start:end], start=start, end=end) for start, end in sorted(placed)
    ]


def _matches(pattern: Any, text: str) -> Iterator[Span]:
    for match in pattern.finditer(text):
        if pattern is not _BASE64 or _is_encoded(match.group()):
            yield match.span()


def _is_encoded(word: str) -> bool:
    return word != word.lower() and word != word.upper() and any(char.isdigit() for char in word)


def _is_foreign(lower: str) -> bool:
    words = set(_WORD.findall(lower))
    return any(len(words & language) >= _FOREIGN_WORDS for language in _FOREIGN)


def _foreign(lower: str) -> Iterator[Span]:
    for sentence in _SENTENCE.finditer(lower):
        if _is_foreign(sentence.group()):
            yield sentence.span()


def _other_scripts(text: str) -> Iterator[Span]:
    if text.isascii():
        return
    for at, char in enumerate(text):
        if not char.isascii() and char.isalpha() and not _is_latin(char):
            yield at, at + 1


def _is_latin(char: str) -> bool:
    name = unicodedata.name(char, "")
    return "LATIN" in name or name.startswith(("FEMININE", "MASCULINE", "MICRO", "MODIFIER"))
