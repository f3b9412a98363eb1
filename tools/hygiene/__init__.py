"""Hygiene: characters, markup, links, leftovers, personal data and reviewer talk that copy never holds."""

from tools.hygiene.characters import clean_characters
from tools.hygiene.machine_text import plain_prose
from tools.hygiene.personal import no_personal_data
from tools.hygiene.phrases import (
    no_links,
    no_placeholders,
    no_reviewer_instructions,
    offer_text_is_data,
    plain_text,
)
from tools.subject import Detector

__all__ = ["DETECTORS"]

DETECTORS: tuple[Detector, ...] = (
    Detector("clean_characters", ("copy",), clean_characters),
    Detector("plain_text", ("copy",), plain_text),
    Detector("plain_prose", ("copy",), plain_prose),
    Detector("no_links", ("terms", "copy"), no_links),
    Detector("no_placeholders", ("copy",), no_placeholders),
    Detector("no_personal_data", ("member", "terms", "copy"), no_personal_data),
    Detector("no_reviewer_instructions", ("copy",), no_reviewer_instructions),
    Detector("offer_text_is_data", ("terms",), offer_text_is_data),
)
"""Detectors of clause kind `code`, by the names policies use."""
