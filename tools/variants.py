"""Which variant of each prompt a run uses: asked for, or by a stable split of a campaign's members.

`draft@b.md` beside `draft.md` is variant b of the prompt draft. A split gives variants shares of a campaign, in
percent; the rest keeps the prompt itself. A member's arm is a pure function of campaign, prompt and user_id.
"""

import hashlib
from collections.abc import Mapping
from typing import Final

BASE: Final = "base"
"""Asks for the prompt itself where a split might choose a variant; no variant can have this name."""
BUCKETS: Final = 10_000
"""Members fall into that many classes, so a share is kept to a hundredth of a percent."""
MOST_VARIANTS: Final = 2
"""Variants of one prompt in a split at the same time."""

Shares = Mapping[str, float]
"""Percent by variant, in the order written: the first from the lowest bucket up, the second from the highest down."""
Split = Mapping[str, Shares]
"""Shares by prompt."""


def bucket(campaign: str, prompt: str, user_id: str) -> int:
    """Return the class of a member, 0 to 9,999: even, and another draw for each campaign and each prompt."""
    digest = hashlib.sha256("\0".join((campaign, prompt, user_id)).encode()).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def arm(shares: Shares, place: int) -> str | None:
    """Return the variant whose share holds a bucket; None for the prompt itself.

    A variant's buckets depend on its own share and place alone: when a share grows, members of the prompt itself move
    into it and nobody else moves; when it shrinks they move back. Three variants can't have this, whatever the rule:
    two of 50 percent fill all buckets, so that a third of 50 would have to share them with both. To end a variant
    and keep the other's members, write 0 in its place.
    """
    for (variant, share), down in zip(shares.items(), (False, True), strict=False):
        size = round(share * BUCKETS / 100)
        if (BUCKETS - 1 - place if down else place) < size:
            return variant
    return None


def variants_for(asked: Mapping[str, str], split: Split, *, campaign: str, user_id: str) -> dict[str, str]:
    """Return the variant of each prompt that is not used as such. What is asked for wins over the split."""
    chosen = dict(asked)
    for prompt, shares in split.items():
        found = arm(shares, bucket(campaign, prompt, user_id))
        if prompt not in chosen and found is not None:
            chosen[prompt] = found
    return {prompt: variant for prompt, variant in chosen.items() if variant != BASE}


def split_fault(split: Split) -> str | None:
    """Return what is wrong with a split, as `allowed: ...`; None when nothing is. Files are not looked at."""
    for prompt, shares in split.items():
        if len(shares) > MOST_VARIANTS:
            return (
                f"allowed: at most {MOST_VARIANTS} variants of {prompt!r}, not {len(shares)}: with more, a growing"
                " share would move members between the others"
            )
        if BASE in shares:
            return f"allowed: shares of variants; {BASE!r} is the prompt itself and gets the rest of {prompt!r}"
        if wrong := [share for share in shares.values() if not 0 <= share <= 100]:
            return f"allowed: shares of 0 to 100 percent; {prompt!r} has {wrong[0]:g}"
        if (total := sum(shares.values())) > 100:
            return f"allowed: shares of {prompt!r} that sum to at most 100 percent, not {total:g}"
    return None


def named(prompt: str, variant: str | None) -> str:
    """Return a prompt's name in records and on the command line: `draft`, or `draft@b` for a variant."""
    return prompt if variant is None or variant == BASE else f"{prompt}@{variant}"
