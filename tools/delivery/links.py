"""The link to an offer's terms: named by the terms themselves, so that it tells nothing of who received it."""

import base64
import hashlib

_LETTERS = 12
"""60 bits: among a billion different terms, two share a link about once in two."""


def terms_link(site: str, terms_text: str) -> str:
    """Return where the site shows these terms: the same words, the same link; a word changed, another link.

    Whoever serves the site finds the terms of a link in the exports (`channels` and `terms_and_conditions`). `site` is
    the brand's, https and without a path. The name is the beginning of the terms' SHA-256 in base 32.
    """
    digest = hashlib.sha256(terms_text.encode()).digest()
    return f"{site}/t/{base64.b32encode(digest).decode().lower()[:_LETTERS]}"
