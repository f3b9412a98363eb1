"""What model calls cost, at the prices an endpoint asks."""

from dataclasses import dataclass
from typing import Final

PER: Final = 1_000_000
"""Tokens a price is for, as providers list them."""


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars per million tokens. `cached_usd` is that of input tokens the provider had in its prefix cache."""

    input_usd: float
    output_usd: float
    cached_usd: float

    def usd(self, *, input_tokens: float, output_tokens: float, cached_tokens: float = 0) -> float:
        """Return the cost in US dollars; `cached_tokens` are those of the input tokens that were cached."""
        new = input_tokens - cached_tokens
        return (new * self.input_usd + cached_tokens * self.cached_usd + output_tokens * self.output_usd) / PER
