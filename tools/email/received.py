"""Why a member got the email: one reviewed sentence, the same for all who hold a card of that type."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from tools.braces import fill_text, literal_text, slots_in
from tools.errors import PolicyInvalid
from tools.slots import renderings
from tools.terms import OfferTerms
from tools.yaml_lines import read_model

RECEIVED_SLOTS: Final = frozenset({"card_type", "domain"})
"""What the sentence may depend on: anything else would tell the member what was concluded about them."""


class _ReceivedFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    approved_by: str
    approved_at: date
    text: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Received:
    """The sentence with its slots. Built by `load_received`."""

    text: str

    def line(self, terms: OfferTerms) -> str:
        """Return the sentence for one offer."""
        words = renderings(terms)
        return fill_text(self.text, {name: words[name] for name in RECEIVED_SLOTS})


PLAIN: Final = Received("You received it because you are a Cardmember who chose to get our offers by email.")
"""For a mailer built without a policies folder; the product's comes from `policies/received.yaml`."""


def load_received(path: Path) -> Received:
    """Read `policies/received.yaml`. Raises PolicyInvalid, with file and line, for another slot, a digit or a brace."""
    file, lines = read_model(path, _ReceivedFile)
    line = lines.at("text")
    if unknown := slots_in(file.text) - RECEIVED_SLOTS:
        known = ", ".join(sorted(RECEIVED_SLOTS))
        raise PolicyInvalid(path, line, f"text: unknown slot {{{min(unknown)}}}; known are {known}")
    if any(char in "{}" or char.isdigit() for char in literal_text(file.text)):
        raise PolicyInvalid(path, line, "text: a digit or a brace outside slots; say it in words")
    return Received(file.text)
