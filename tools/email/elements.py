"""HTML as its author wrote it: elements in their places, and what a reader would have to repair listed as faults."""

import html
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from tools.email.stylesheet import Declaration, read_declarations, sheet_fault, style_fault

_TOKEN: Final = re.compile(
    r"""(?P<comment><!--(?!>|->))
    |<!doctype\s[^<>]*>
    |</(?P<end>[a-z][a-z0-9:]*)\s*>
    |<(?P<start>[a-z][a-z0-9:]*)(?P<attributes>(?:\s+[^\s"'<>/=]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?)*)\s*/?>
    |(?P<text>[^<]+)
    |(?P<stray><)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"""\s+([^\s"'<>/=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+)))?""")
_RAW: Final = {
    name: re.compile(rf"</{name}(?=[\s/>])[^>]*>", re.IGNORECASE) for name in ("style", "script", "title", "textarea")
}
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})
_MOST: Final = 3_000
"""Elements that are read; a fault says where reading ended."""
_DEEPEST: Final = 100
"""Elements inside one another; what is deeper is read as if it stood beside, and is a fault."""
_BLOCKS: Final = frozenset({"div", "h1", "h2", "h3", "ol", "p", "table", "ul"})
_SPACE: Final = re.compile(r"\s+")
_NO_TEXT: Final = frozenset({"table", "tbody", "thead", "tr", "head", "html", "#root"})
"""Elements whose own text a browser would move elsewhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Tag:
    """A start tag; two elements written alike share one."""

    name: str
    attributes: dict[str, str]
    classes: frozenset[str]
    class_keys: tuple[str, ...]
    """The classes as `.name`."""
    style: tuple[Declaration, ...]
    fault: str = ""
    """What of its style clients may read differently."""


@dataclass(slots=True, eq=False)
class Element:
    """One element in its place. `start` is its offset in the HTML, `lineage` its classes and its ancestors'."""

    tag: Tag
    parent: "Element | None"
    start: int
    lineage: frozenset[str]

    def inside(self, ancestor: "Element") -> bool:
        """Tell whether this element stands in another, at any depth."""
        above = self.parent
        while above is not None and above is not ancestor:
            above = above.parent
        return above is ancestor


@dataclass(frozen=True, slots=True)
class Text:
    """Text that isn't blank, unescaped and with blanks collapsed, in its element."""

    text: str
    parent: Element
    start: int


@dataclass(slots=True)
class Parsed:
    """All of one HTML source. `sheets` are (css, media, offset); `faults` and `comments` are (what, offset)."""

    elements: list[Element] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    comments: list[tuple[str, int]] = field(default_factory=list)
    sheets: list[tuple[str, str, int]] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)
    faults: list[tuple[str, int]] = field(default_factory=list)


def squeeze(text: str) -> str:
    """Return the text with each run of blanks, no-break ones included, as one space."""
    return _SPACE.sub(" ", text).strip()


def parse(source: str) -> Parsed:
    """Parse HTML without repairing anything."""
    document = Parsed()
    root = Element(_tag("#root", ""), None, 0, frozenset())
    open_elements = [root]
    position = 0
    while found := _TOKEN.match(source, position):
        if len(document.elements) >= _MOST:
            document.faults.append((f"over {_MOST:,} elements; what follows was not read", position))
            break
        start, position = position, found.end()
        parent = open_elements[-1]
        kind = found.lastgroup
        if kind == "text":
            if not found[0].isspace():
                _add_text(found[0], parent, start, document)
        elif kind == "comment":
            position = _add_comment(source, start, position, document)
        elif kind == "end":
            _close(found["end"].lower(), open_elements, start, document)
        elif kind == "attributes" or kind == "start":
            name = found["start"].lower()
            tag = _tag(name, found["attributes"])
            element = Element(tag, parent, start, parent.lineage | tag.classes if tag.classes else parent.lineage)
            document.elements.append(element)
            if tag.fault:
                document.faults.append((tag.fault, start))
            if name in _BLOCKS and any(above.tag.name == "p" for above in open_elements):
                document.faults.append((f"<{name}> inside <p>", start))
            if name in _RAW:
                end = _RAW[name].search(source, position)
                content = source[position : end.start()] if end else source[position:]
                if end is None:
                    document.faults.append((f"<{name}> is never closed", start))
                elif end[0].strip("</> \t\r\n").lower() != name:
                    document.faults.append((f"{end[0][:40]} closes <{name}>", end.start()))
                _add_raw(name, content, element, position, document)
                position = end.end() if end else len(source)
            elif name not in _VOID and len(open_elements) > _DEEPEST:
                document.faults.append((f"over {_DEEPEST} elements inside one another", start))
            elif name not in _VOID:
                open_elements.append(element)
        elif kind == "stray":
            document.faults.append(("'<' that starts no tag", start))
    document.faults += ((f"<{element.tag.name}> is never closed", element.start) for element in open_elements[1:])
    return document


def _add_text(text: str, parent: Element, start: int, document: Parsed) -> None:
    if parent.tag.name in _NO_TEXT:
        document.faults.append((f"text directly in <{parent.tag.name}>", start))
    if squeezed := squeeze(html.unescape(text)):
        document.texts.append(Text(squeezed, parent, start))


def _add_comment(source: str, start: int, position: int, document: Parsed) -> int:
    """Add a comment and return where it ends. One that never ends hides all the rest, as in a browser."""
    end = source.find("-->", position)
    text = source[position:] if end < 0 else source[position:end]
    document.comments.append((text, start))
    if end < 0:
        document.faults.append(("a comment is never closed", start))
    elif "--!>" in text:
        document.faults.append(("'--!>' closes a comment in browsers alone", start + text.index("--!>")))
    return len(source) if end < 0 else end + 3


def _add_raw(name: str, content: str, element: Element, start: int, document: Parsed) -> None:
    if name == "style":
        fault, at = sheet_fault(content)
        if fault:
            document.faults.append((fault, start + at))
        document.sheets.append((content, element.tag.attributes.get("media", ""), element.start))
    elif name == "title":
        document.titles.append(squeeze(html.unescape(content)))


def _close(name: str, open_elements: list[Element], start: int, document: Parsed) -> None:
    if open_elements[-1].tag.name == name:
        open_elements.pop()
        return
    names = [element.tag.name for element in open_elements]
    if name not in names[1:]:
        document.faults.append((f"</{name}> closes nothing", start))
        return
    at = len(names) - 1 - names[::-1].index(name)
    left_open = open_elements[at + 1 :]
    document.faults += ((f"<{element.tag.name}> is never closed", element.start) for element in left_open)
    del open_elements[at:]


@lru_cache(maxsize=4096)
def _tag(name: str, attributes: str) -> Tag:
    values: dict[str, str] = {}
    twice = ""
    for found in _ATTRIBUTE.finditer(attributes):
        twice = twice or (found[1].lower() if found[1].lower() in values else "")
        values.setdefault(found[1].lower(), html.unescape(found[2] or found[3] or found[4] or ""))
    classes = frozenset(values.get("class", "").split())
    style = values.get("style", "")
    keys = tuple(f".{name}" for name in sorted(classes))
    return Tag(
        name,
        values,
        classes,
        keys,
        read_declarations(style),
        f"{twice} stands twice in one tag" if twice else style_fault(style),
    )
