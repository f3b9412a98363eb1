"""Which values the expressions of a template have, as far as it can be known without rendering it."""

from collections.abc import Mapping
from typing import Final

from jinja2 import nodes

from tools.prompt_steps import TEXT, Value

OPAQUE: Final = Value()
"""A value nothing is known of; it is compared by identity."""
LOOP: Final = Value(
    frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "previtem", "nextitem"})
)
_SAME: Final = frozenset({"sort", "unique", "reverse", "list", "select", "reject", "selectattr", "rejectattr"})
_ONE: Final = frozenset({"first", "last", "min", "max"})

Scope = Mapping[str, Value]


def value_of(node: nodes.Node, scope: Scope) -> Value:
    """Return the shape of an expression; OPAQUE where it can't be told."""
    match node:
        case nodes.Name():
            return scope.get(node.name, OPAQUE)
        case nodes.Filter(node=nodes.Expr() as inner):
            if node.name in _SAME:
                return value_of(inner, scope)
            if node.name in _ONE:
                return value_of(inner, scope).item or OPAQUE
            return TEXT
        case nodes.Getitem(arg=nodes.Slice()):
            return value_of(node.node, scope)
        case nodes.Getitem(arg=nodes.Const(value=int())):
            return value_of(node.node, scope).item or OPAQUE
        case nodes.Getattr() | nodes.Getitem():
            return TEXT if field_of(node) in value_of(node.node, scope).fields else OPAQUE
        case _:
            return OPAQUE


def field_of(node: nodes.Getattr | nodes.Getitem) -> str | None:
    """Return the name an access reads, `view.domain` or `view["domain"]`; None for any other."""
    if isinstance(node, nodes.Getattr):
        return node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


def bound(target: nodes.Node, value: Value) -> dict[str, Value]:
    """Return the names an assignment or a loop binds."""
    if isinstance(target, nodes.Name):
        return {target.name: value}
    return {name.name: OPAQUE for name in target.find_all(nodes.Name)}
