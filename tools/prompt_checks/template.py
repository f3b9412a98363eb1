"""The Jinja of a prompt file: every name, field, filter and include, checked without rendering anything."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from jinja2 import TemplateSyntaxError, nodes

from tools.prompt_checks.faults import Fault, near
from tools.prompt_checks.front import PERSONAL
from tools.prompt_checks.sections import Section
from tools.prompt_checks.shapes import LOOP, OPAQUE, Scope, bound, field_of, value_of
from tools.prompt_checks.shared import NAME, SharedTexts
from tools.prompt_environment import environment, padded
from tools.prompt_steps import REPLY_SCHEMA, TEXT, Step

_ALLOWED: Final = (nodes.Output, nodes.If, nodes.For, nodes.Include, nodes.Assign, nodes.AssignBlock, nodes.With)
_TAGS: Final = "use if, for, set, with and include"
_TAG: Final = re.compile(r"\{[{%]")
_CLOSING: Final = {"{{": "}}", "{%": "%}"}
_PLAIN: Final = environment(())


@dataclass(slots=True)
class Walk:
    """One file's template as it is read: what is wrong, which variables it uses, which texts it includes."""

    step: Step
    shared: SharedTexts
    path: Path
    source: str
    faults: list[Fault] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    included: set[str] = field(default_factory=set)
    chain: tuple[str, ...] = ()

    def section(self, section: Section) -> None:
        """Check one section."""
        scope = {**self.step.variables, REPLY_SCHEMA: TEXT}
        self._body(padded(section.text, section.line), scope)

    def _body(self, text: str, scope: Scope) -> None:
        try:
            parsed = _PLAIN.parse(text)
        except TemplateSyntaxError as error:
            line = _begun(text, error.lineno)
            self._say(line, "", "syntax", f"template: {error.message}", "correct the tag there, and what it opens")
            return
        self._statements(parsed.body, scope)

    def _statements(self, body: Iterable[nodes.Node], scope: Scope) -> None:
        known = dict(scope)
        for node in body:
            if not isinstance(node, _ALLOWED):
                kind = type(node).__name__.lower()
                self._say(node.lineno, kind, "unsupported-tag", f"`{kind}` is no tag of a prompt", _TAGS)
                continue
            known |= self._statement(node, known)

    def _statement(self, node: nodes.Node, scope: Scope) -> Scope:
        """Check one tag; return the names it sets for what follows."""
        match node:
            case nodes.For():
                self._expression(node.iter, scope)
                inner = {**scope, **bound(node.target, value_of(node.iter, scope).item or OPAQUE), "loop": LOOP}
                if node.test is not None:
                    self._expression(node.test, inner)
                self._statements(node.body, inner)
                self._statements(node.else_, scope)
            case nodes.If():
                self._expression(node.test, scope)
                for body in (node.body, node.elif_, node.else_):
                    self._statements(body, scope)
            case nodes.Assign():
                self._expression(node.node, scope)
                return bound(node.target, value_of(node.node, scope))
            case nodes.AssignBlock():
                self._statements(node.body, scope)
                return bound(node.target, TEXT)
            case nodes.With():
                names: dict[str, object] = {}
                for target, value in zip(node.targets, node.values, strict=True):
                    self._expression(value, scope)
                    names |= bound(target, value_of(value, scope))
                self._statements(node.body, {**scope, **names})  # type: ignore[dict-item]
            case nodes.Include():
                self._include(node, scope)
            case nodes.Output():
                for child in node.nodes:
                    self._expression(child, scope)
        return {}

    def _expression(self, node: nodes.Node, scope: Scope) -> None:
        match node:
            case nodes.Name(ctx="load"):
                self._name(node, scope)
                return
            case nodes.Getattr() | nodes.Getitem():
                self._access(node, scope)
            case nodes.Call():
                self._say(node.lineno, "", "call", "calls a function", "templates read fields and use filters only")
            case nodes.Filter() if node.name not in _PLAIN.filters:
                remedy = near(node.name, _PLAIN.filters)
                if node.name in ("default", "d"):
                    remedy = "every variable is there: use it as it is"
                message = f"there is no filter {node.name!r}"
                self._say(node.lineno, node.name, "unknown-filter", message, remedy)
            case nodes.Test() if node.name in ("defined", "undefined"):
                remedy = "every variable is there, and may be empty: write `{% if name %}`"
                self._say(node.lineno, node.name, "defined-test", f"`is {node.name}` hides a wrong name", remedy)
            case nodes.Test() if node.name not in _PLAIN.tests:
                message = f"there is no test {node.name!r}"
                self._say(node.lineno, node.name, "unknown-test", message, near(node.name, _PLAIN.tests))
        for child in node.iter_child_nodes():
            self._expression(child, scope)

    def _name(self, node: nodes.Name, scope: Scope) -> None:
        if node.name in scope:
            self.used.add(node.name)
            return
        if node.name in PERSONAL:
            message, remedy = f"{node.name} is of a cardmember and never reaches a prompt", "use a field of `view`"
            self._say(node.lineno, node.name, "protected-field", message, remedy)
            return
        message, remedy = f"there is no variable {node.name!r}", near(node.name, self.step.variables)
        self._say(node.lineno, node.name, "unknown-variable", message, remedy)

    def _access(self, node: nodes.Getattr | nodes.Getitem, scope: Scope) -> None:
        value, name = value_of(node.node, scope), field_of(node)
        if name is None or value is OPAQUE or name in value.fields:
            return
        root = node.node.name if isinstance(node.node, nodes.Name) else "it"
        protected = name in PERSONAL or root in self.step.member
        code = "protected-field" if protected else "unknown-field"
        message = f"{root}.{name} is no field of what a prompt may know" if protected else f"{root} has no {name!r}"
        self._say(node.lineno, name, code, message, near(name, value.fields))

    def _include(self, node: nodes.Include, scope: Scope) -> None:
        named = node.template
        if not isinstance(named, nodes.Const) or not isinstance(named.value, str) or not node.with_context:
            remedy = 'write one name: {% include "shared/reply.md" %}'
            self._say(node.lineno, "include", "include-dynamic", "includes what can't be known before", remedy)
            return
        name = named.value
        if node.ignore_missing:
            remedy = "delete `ignore missing`: a text that is gone must be noticed"
            self._say(node.lineno, "ignore", "include-ignore-missing", f"passes over {name} if it is missing", remedy)
        if NAME.fullmatch(name) is None or name in self.shared.outside:
            remedy = "include files of prompts/shared only: shared/NAME.md"
            self._say(node.lineno, name, "include-escape", f"{name!r} is outside prompts/shared", remedy)
        elif name not in self.shared.texts:
            remedy = near(name, self.shared.texts)
            self._say(node.lineno, name, "include-missing", f"there is no prompts/{name}", remedy)
        elif name in self.chain:
            circle = " -> ".join((*self.chain[self.chain.index(name) :], name))
            self._say(node.lineno, name, "include-cycle", f"includes itself: {circle}", "take one of them out")
        else:
            self._included(name, scope)

    def _included(self, name: str, scope: Scope) -> None:
        """Check an included text where it stands, with the names that are known there."""
        text = self.shared.texts[name]
        inner = replace(self, path=self.shared.path(name), source=text, chain=(*self.chain, name))
        self.included.add(name)
        inner._body(text, scope)  # `replace` shares the lists and sets

    def _say(self, line: int, word: str, code: str, message: str, remedy: str) -> None:
        rows = self.source.split("\n")
        row = rows[line - 1] if 0 < line <= len(rows) else ""
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", row) if word else re.search(r"\{[{%]", row)
        fault = Fault(self.path, line, found.start() + 1 if found else 1, code, message, remedy)
        if fault not in self.faults:
            self.faults.append(fault)


def _begun(text: str, line: int) -> int:
    """Return the line of a tag that is open at `line`, where its fault was noticed; else that line."""
    before = "\n".join(text.split("\n")[:line])
    tags = [*_TAG.finditer(before)]
    ends = [*(tag.start() for tag in tags[1:]), len(before)]
    for tag, end in reversed([*zip(tags, ends, strict=True)]):
        if _CLOSING[tag[0]] not in before[tag.start() : end]:
            return before.count("\n", 0, tag.start()) + 1
    return line


def unused(declared: Iterable[str], used: set[str]) -> Iterator[str]:
    """Yield what is declared and never used."""
    return (variable for variable in declared if variable not in used)
