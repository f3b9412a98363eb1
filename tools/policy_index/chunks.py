"""Policies cut into sections small enough to embed whole, and their form in Chroma."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from tools.policy_index.documents import OPEN, PolicyChunk, PolicyDocument

MAX_CHARS: Final = 900
"""Sentence-transformers models of this size read 256 tokens; text beyond would be ignored in silence."""

_HEADING: Final = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+")

Metadata = dict[str, str | int | bool]


def chunks_of(document: PolicyDocument) -> dict[str, PolicyChunk]:
    """Cut a policy's prose at its headings, long sections at paragraphs, by entry id. Empty prose gives no chunk."""
    parts = [
        (section, text)
        for section, body in _sections(document.prose, default=document.policy_id)
        for text in _pieces(body)
    ]
    scope = frozenset(document.scope_keys())
    return {
        f"{document.policy_id}#{position}": PolicyChunk(
            policy_id=document.policy_id,
            version=document.version,
            sha=document.sha,
            type=document.type,
            section=section,
            position=position,
            text=text,
            scope=scope,
        )
        for position, (section, text) in enumerate(parts)
    }


def embedded_text(chunk: PolicyChunk) -> str:
    """Return what is embedded and stored: the section's title gives a short paragraph its subject."""
    return f"{chunk.section}\n{chunk.text}"


def metadata_of(chunk: PolicyChunk) -> Metadata:
    """Return the chunk's metadata. A flag per scope value, because every Chroma version can filter on booleans."""
    return {
        "policy_id": chunk.policy_id,
        "version": chunk.version,
        "sha": chunk.sha,
        "type": chunk.type,
        "section": chunk.section,
        "position": chunk.position,
        **dict.fromkeys(sorted(chunk.scope), True),
    }


def scope_filter(wanted: Mapping[str, tuple[str, ...]]) -> dict[str, object]:
    """Return the Chroma filter for values by kind; a kind without any admits only policies open to all of that kind."""
    return {"$and": [_any_of([f"{kind}:{value}" for value in (OPEN, *values)]) for kind, values in wanted.items()]}


def _any_of(flags: list[str]) -> dict[str, object]:
    flagged: list[dict[str, object]] = [{flag: True} for flag in flags]
    return flagged[0] if len(flagged) == 1 else {"$or": flagged}


def _sections(prose: str, *, default: str) -> Iterator[tuple[str, str]]:
    title, lines = default, list[str]()
    for line in prose.splitlines():
        heading = _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield title, "\n".join(lines)
        title, lines = heading[1], []
    yield title, "\n".join(lines)


def _pieces(body: str) -> Iterator[str]:
    piece = ""
    for paragraph in filter(None, (part.strip() for part in re.split(r"\n\s*\n", body))):
        for text in _short(paragraph):
            if piece and len(piece) + len(text) + 2 > MAX_CHARS:
                yield piece
                piece = text
            else:
                piece = f"{piece}\n\n{text}" if piece else text
    if piece:
        yield piece


def _short(paragraph: str) -> Iterator[str]:
    """Yield the paragraph in runs of whole sentences; a sentence too long for one run is cut at spaces."""
    if len(paragraph) <= MAX_CHARS:
        yield paragraph
        return
    run = ""
    for sentence in _SENTENCE_END.split(paragraph):
        for word in [sentence] if len(sentence) <= MAX_CHARS else sentence.split():
            if run and len(run) + len(word) + 1 > MAX_CHARS:
                yield run
                run = word
            else:
                run = f"{run} {word}" if run else word
    if run:
        yield run
