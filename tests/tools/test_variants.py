"""The split of a campaign's members: stable, near its shares, and nobody moves but into a share that grows."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.variants import BUCKETS, arm, bucket, named, split_fault, variants_for

IDS = [f"USER_{number:06d}" for number in range(20_000)]
PLACES = [bucket("online", "draft", user_id) for user_id in IDS]
"""Worked out once: an arm is a function of the place."""
PERCENT = st.integers(0, 10_000).map(lambda hundredths: hundredths / 100)


def test_a_bucket_never_changes() -> None:
    assert [bucket("online", "draft", user_id) for user_id in ("USER_000001", "USER_000002", "é")] == GOLDEN


GOLDEN = [6181, 5678, 2776]


@settings(max_examples=60, deadline=None)
@given(first=PERCENT, second=PERCENT)
def test_shares_are_near_nominal_over_twenty_thousand_ids(first: float, second: float) -> None:
    if first + second > 100:
        first, second = 100 - first, 100 - second
    counts = Counter(arm({"b": first, "c": second}, place) for place in PLACES)
    for variant, share in (("b", first), ("c", second), (None, 100 - first - second)):
        expected = len(IDS) * share / 100
        deviation = (expected * (1 - share / 100)) ** 0.5
        assert abs(counts[variant] - expected) <= 4.5 * deviation + 2, (variant, share)


@settings(max_examples=200, deadline=None)
@given(kept=PERCENT, share=PERCENT, more=PERCENT, first=st.booleans())
def test_growing_a_share_moves_members_into_it_alone(kept: float, share: float, more: float, first: bool) -> None:
    small, large = sorted((share, more))
    kept, large = min(kept, 100.0), min(large, 100.0)
    if kept + large > 100:
        kept = 100 - large
    small = min(small, large)

    def arms(size: float) -> list[str | None]:
        shares = {"b": size, "c": kept} if first else {"c": kept, "b": size}
        return [arm(shares, place) for place in PLACES[:2_000]]

    for before, after in zip(arms(small), arms(large), strict=True):
        assert before == after or (before, after) == (None, "b")


@given(user_id=st.text(min_size=1, max_size=60), share=PERCENT)
def test_an_arm_is_a_function_of_campaign_prompt_and_member(user_id: str, share: float) -> None:
    split = {"draft": {"b": share}}
    chosen = [variants_for({}, split, campaign="online", user_id=user_id) for _ in range(2)]
    assert chosen[0] == chosen[1] == ({"draft": "b"} if bucket("online", "draft", user_id) < share * 100 else {})


def test_prompts_and_campaigns_are_split_independently() -> None:
    both = Counter(
        (arm({"b": 50}, bucket("online", "draft", user_id)), arm({"b": 50}, bucket(campaign, prompt, user_id)))
        for campaign, prompt in (("online", "judge"), ("spring", "draft"))
        for user_id in IDS[:4_000]
    )
    assert all(1_800 < count < 2_200 for count in both.values()) and len(both) == 4


def test_all_and_nobody() -> None:
    assert {arm({"b": 100}, place) for place in range(BUCKETS)} == {"b"}
    assert {arm({"b": 0}, place) for place in range(BUCKETS)} == {None}
    assert Counter(arm({"b": 0.01, "c": 0.02}, place) for place in range(BUCKETS)) == {None: 9_997, "b": 1, "c": 2}


def test_what_is_asked_for_wins_over_the_split() -> None:
    split = {"draft": {"b": 100}, "judge": {"c": 100}}
    assert variants_for({"draft": "z"}, split, campaign="online", user_id="u") == {"draft": "z", "judge": "c"}
    assert variants_for({"draft": "base"}, split, campaign="online", user_id="u") == {"judge": "c"}


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"draft": {"b": 60, "c": 41}}, "sum to at most 100 percent, not 101"),
        ({"draft": {"b": -1}}, "0 to 100 percent; 'draft' has -1"),
        ({"draft": {"b": 1, "c": 1, "d": 1}}, "at most 2 variants of 'draft', not 3"),
        ({"draft": {"base": 50}}, "'base' is the prompt itself"),
        ({"draft": {"b": float("nan")}}, "0 to 100 percent"),
    ],
)
def test_a_split_that_cant_be_is_refused(split: dict[str, dict[str, float]], said: str) -> None:
    assert said in (split_fault(split) or "")


def test_a_name_in_records() -> None:
    assert [named("draft", variant) for variant in (None, "base", "b")] == ["draft", "draft", "draft@b"]
