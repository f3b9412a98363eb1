"""What a CEL expression names, checked before it ever runs: facts, functions, limits, regular expressions."""

import re
from collections.abc import Mapping
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


class CelInvalid(ValueError):
    """An expression can't be enforced as written. The text says why and what to write instead."""


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
        raise CelInvalid(f"not CEL: {' '.join(str(error).split())}") from error
    tokens = [token for token in _TOKEN.finditer(source) if token.lastgroup not in ("space", "comment")]
    words = [token.group() for token in tokens]
    _check_functions(references["functions"], words)
    _check_variables(references["variables"], words)
    _check_regexes(words)
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
        field = _field(words, index)
        _check_field(root, field, limits)
        reads.add((root, field))
        if root == "offer" and words[max(index - 2, 0) : index] == ["has", "("]:
            asks.add(field)
        if root == "limits":
            parts += [source[last : token.start()], f"({float(limits[field])!r})"]
            last = tokens[index + 2].end()
    if {root for root, _ in reads} != ROOTS.intersection(references["variables"]):
        raise CelInvalid("a name can't be told from the text around it; write the quoted texts simpler")
    return Expression("".join((*parts, source[last:])), frozenset(reads), frozenset(asks))


def _field(words: list[str], index: int) -> str:
    root = words[index]
    if words[index + 1 : index + 2] != ["."] or not words[index + 2 : index + 3]:
        raise CelInvalid(f"{root} can't be read as a whole; write {root}.field")
    return words[index + 2]


def _check_field(root: str, field: str, limits: Mapping[str, float]) -> None:
    known = {"offer": OFFER_FACTS, "member": MEMBER_FACTS, "limits": limits, "text": TEXT_FIELDS}[root]
    if root == "member" and field in PROTECTED_FACTS:
        raise CelInvalid(f"member.{field} is protected: no decision may rest on it")
    if field not in known:
        raise CelInvalid(f"unknown field '{root}.{field}'; {root} has {', '.join(sorted(known)) or 'nothing here'}")


def _check_functions(functions: list[str], words: list[str]) -> None:
    called = {name for name in functions if name.isidentifier() and not name.startswith("_")}
    if unknown := called - FUNCTIONS:
        raise CelInvalid(f"unknown function {min(unknown)!r}; known: {', '.join(sorted(FUNCTIONS))}")
    # The built-in method compiles its pattern at every call, with another engine than the clauses of kind pattern.
    if any(pair == (".", "matches") for pair in pairwise(words)):
        raise CelInvalid("write matches(text.body, r'...') rather than text.body.matches(...)")


def _check_variables(variables: list[str], words: list[str]) -> None:
    triples = zip(words, words[1:], words[2:], strict=False)
    own = {name for macro, opening, name in triples if macro in _MACROS and opening == "("}
    if shadowed := own & ROOTS:
        raise CelInvalid(f"{min(shadowed)!r} is the name of a fact; call the macro's variable something else")
    if unknown := set(variables) - own - ROOTS:
        raise CelInvalid(f"unknown name {min(unknown)!r}; an expression reads {', '.join(sorted(ROOTS))}")


def _check_regexes(words: list[str]) -> None:
    for index, word in enumerate(words):
        if word != "matches":
            continue
        depth, end = 0, index + 1
        while end < len(words):
            depth += (words[end] in ("(", "[", "{")) - (words[end] in (")", "]", "}"))
            if depth == 0:
                break
            end += 1
        literal = words[end - 1]
        if words[end - 2 : end - 1] != [","] or literal[-1] not in "'\"":
            raise CelInvalid("the second argument of matches must be a regular expression in quotes")
        try:
            compile_regex(str(cel.evaluate(literal)), case_sensitive=True)
        except RegexInvalid as error:
            raise CelInvalid(str(error)) from error
