"""What a CEL expression names, checked before it ever runs: facts, functions, limits, regular expressions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cel

from tools.policies.facts import MEMBER_FACTS, OFFER_FACTS, PROTECTED_FACTS, TEXT_FIELDS
from tools.policies.regex import RegexInvalid, compile_regex

ROOTS: Final = frozenset({"offer", "member", "limits", "text", "send_date"})
FUNCTIONS: Final = frozenset(
    (
        *("has", "size", "contains", "startsWith", "endsWith", "matches", "days_between"),
        *("int", "double", "string", "timestamp", "duration", "min", "max"),
    )
)
"""What an expression may call beside operators and the macros all, exists, exists_one, map and filter."""

_MACROS: Final = frozenset({"all", "exists", "exists_one", "map", "filter"})
_TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*)
    |(?P<string>[rRbB]{0,2}(?:\"\"\"(?:\\.|.)*?\"\"\"|'''(?:\\.|.)*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?u?)
    |(?P<name>[A-Za-z_]\w*)
    |(?P<space>\s+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


_PARSER_PLACE: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): ([^\n]*)")


class CelInvalid(ValueError):
    """An expression can't be enforced as written. The text says why and what to write instead.

    `offset` is where in the expression, in characters, when that is known.
    """

    def __init__(self, reason: str, offset: int | None = None) -> None:
        super().__init__(reason)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression with its policy's limits written in as numbers, the facts it reads and those it asks `has` of."""

    source: str
    reads: frozenset[tuple[str, str]]
    asks: frozenset[str]


def read_expression(source: str, limits: Mapping[str, float]) -> Expression:
    """Check every name of an expression.

    Raises:
        CelInvalid: it doesn't parse, or names something that doesn't exist.
    """
    try:
        references = cel.compile(source).references()
    except ValueError as error:
        raise _not_cel(source, str(error)) from error
    tokens = [token for token in _TOKEN.finditer(source) if token.lastgroup not in ("space", "comment")]
    words = [token.group() for token in tokens]
    _check_functions(references["functions"], tokens)
    _check_variables(references["variables"], tokens)
    _check_regexes(tokens)
    reads: set[tuple[str, str]] = set()
    asks: set[str] = set()
    parts: list[str] = []
    last = 0
    for index, token in enumerate(tokens):
        root = token.group()
        if token.lastgroup != "name" or root not in ROOTS or (index and words[index - 1] == "."):
            continue
        if root == "send_date":
            reads.add((root, ""))
            continue
        field = _field(words, index, token.start())
        _check_field(root, field, limits, token.start())
        reads.add((root, field))
        if root == "offer" and words[max(index - 2, 0) : index] == ["has", "("]:
            asks.add(field)
        if root == "limits":
            parts += [source[last : token.start()], f"({float(limits[field])!r})"]
            last = tokens[index + 2].end()
    if {root for root, _ in reads} != ROOTS.intersection(references["variables"]):
        raise CelInvalid("a name can't be told from the text around it; write the quoted texts simpler")
    return Expression("".join((*parts, source[last:])), frozenset(reads), frozenset(asks))


def _field(words: list[str], index: int, offset: int) -> str:
    root = words[index]
    if words[index + 1 : index + 2] != ["."] or not words[index + 2 : index + 3]:
        raise CelInvalid(f"{root} can't be read as a whole; write {root}.field", offset)
    return words[index + 2]


def _check_field(root: str, field: str, limits: Mapping[str, float], offset: int) -> None:
    known = {"offer": OFFER_FACTS, "member": MEMBER_FACTS, "limits": limits, "text": TEXT_FIELDS}[root]
    if root == "member" and field in PROTECTED_FACTS:
        raise CelInvalid(f"member.{field} is protected: no decision may rest on it; take it out", offset)
    if field not in known:
        raise CelInvalid(
            f"unknown field '{root}.{field}'; {root} has {', '.join(sorted(known)) or 'nothing here'}", offset
        )


def _check_functions(functions: list[str], tokens: Sequence[re.Match[str]]) -> None:
    called = {name for name in functions if name.isidentifier() and not name.startswith("_")}
    if unknown := called - FUNCTIONS:
        name = min(unknown)
        raise CelInvalid(f"unknown function {name!r}; known: {', '.join(sorted(FUNCTIONS))}", _offset_of(name, tokens))
    # The built-in method compiles its pattern at every call, with another engine than the clauses of kind pattern.
    for before, token in pairwise(tokens):
        if (before.group(), token.group()) == (".", "matches"):
            raise CelInvalid("write matches(text.body, r'...') rather than text.body.matches(...)", token.start())


def _check_variables(variables: list[str], tokens: Sequence[re.Match[str]]) -> None:
    words = [token.group() for token in tokens]
    triples = zip(words, words[1:], words[2:], strict=False)
    own = {name for macro, opening, name in triples if macro in _MACROS and opening == "("}
    if shadowed := own & ROOTS:
        raise CelInvalid(f"{min(shadowed)!r} is the name of a fact; call the macro's variable something else")
    if unknown := set(variables) - own - ROOTS:
        name = min(unknown)
        reads = ", ".join(sorted(ROOTS))
        raise CelInvalid(f"unknown name {name!r}; an expression reads {reads}", _offset_of(name, tokens))


def _check_regexes(tokens: Sequence[re.Match[str]]) -> None:
    words = [token.group() for token in tokens]
    for index, word in enumerate(words):
        if word != "matches":
            continue
        depth, end = 0, index + 1
        while end < len(words):
            depth += (words[end] in ("(", "[", "{")) - (words[end] in (")", "]", "}"))
            if depth == 0:
                break
            end += 1
        literal, start = words[end - 1], tokens[end - 1].start()
        if words[end - 2 : end - 1] != [","] or literal[-1] not in "'\"":
            raise CelInvalid("the second argument of matches must be a regular expression in quotes", start)
        try:
            compile_regex(str(cel.evaluate(literal)), case_sensitive=True)
        except RegexInvalid as error:
            raise CelInvalid(str(error), start) from error


def _offset_of(name: str, tokens: Sequence[re.Match[str]]) -> int | None:
    return next((token.start() for token in tokens if token.group() == name), None)


def _not_cel(source: str, said: str) -> CelInvalid:
    """Say in one line what the parser says in many, and where in the expression it stopped."""
    place = _PARSER_PLACE.search(said)
    if place is None:
        return CelInvalid(f"not CEL: {' '.join(said.split())}; correct it")
    line, column, what = int(place[1]), int(place[2]), place[3].partition(" expecting ")[0]
    offset = sum(len(one) for one in source.splitlines(keepends=True)[: line - 1]) + column - 1
    end = "the expression ends too early" if "<EOF>" in what else what.removeprefix("Syntax error: ")
    return CelInvalid(f"not CEL: {end}; correct it there", min(offset, len(source)))
