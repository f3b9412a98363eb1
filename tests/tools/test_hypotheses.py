from itertools import product
from pathlib import Path
from typing import get_args

import pytest

from tests.tools.offer_content import POLICIES, hypotheses
from tools.errors import PolicyInvalid
from tools.hypotheses import check_worded, load_hypotheses
from tools.views import MemberView

VIEW = MemberView(
    domain="Dining",
    card_type="gold",
    strategy="persuadable",
    spend_trend="increasing",
    engagement="high",
    domain_interest="preferred",
    tenure_band="established",
)


def test_every_view_has_three_to_six_hypotheses_that_cite_it() -> None:
    fields = {name: get_args(field.annotation) for name, field in MemberView.model_fields.items()}
    count = 0
    for values in product(*fields.values()):
        view = MemberView.model_construct(**dict(zip(fields, values, strict=True)))
        found = hypotheses().applicable(view)
        assert 3 <= len(found) <= 6
        count += 1
    assert count == 2916


def test_reviewed_texts_would_pass_as_worded_ones() -> None:
    for hypothesis in hypotheses().hypotheses:
        assert check_worded(hypothesis.text, hypothesis.cites, VIEW) is None
        assert set(hypothesis.cites) <= set(MemberView.model_fields)
        assert hypothesis.text.endswith(".")


def test_applicable_follows_the_bands() -> None:
    ids = [hypothesis.id for hypothesis in hypotheses().applicable(VIEW)]
    assert ids == ["trend_up", "engaged_high", "domain_preferred", "settled", "reward_may_tip", "growing_and_engaged"]


@pytest.mark.parametrize(
    ("text", "cites", "reason"),
    [
        ("", ["engagement"], "characters"),
        ("Likes offers. " * 20, ["engagement"], "characters"),
        ("Likes offers.", [], "cites no field"),
        ("Likes offers.", ["age"], "cites 'age'"),
        ("Likes offers.", ["engagement", "credit_limit"], "cites 'credit_limit'"),
        ("Opens 20 offers.", ["engagement"], "holds a digit"),
        ("Opens ２ offers.", ["engagement"], "holds a digit"),
        ("May be saving for a wedding.", ["spend_trend"], "sensitive"),
        ("Perhaps a new BABY is on the way.", ["spend_trend"], "sensitive"),
        ("Could have lost their job.", ["spend_trend"], "sensitive"),
        ("Might be going through a divorce.", ["spend_trend"], "sensitive"),
        ("Probably retired by now.", ["tenure_band"], "sensitive"),
        ("A woman of taste.", ["tenure_band"], "protected class"),
        ("Often dines at Olive Garden.", ["domain"], "names the merchant 'Olive Garden'"),
    ],
)
def test_a_worded_hypothesis_is_dropped_for_a_reason(text: str, cites: list[str], reason: str) -> None:
    found = check_worded(text, cites, VIEW, merchant_names=("Olive Garden", "Target"))
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "text",
    [
        "Open to a small target, so a low hurdle helps.",
        "Will use the app often, so management of offers should be simple.",
        "Growing card use and a preferred category make this timely.",
    ],
)
def test_harmless_words_pass(text: str) -> None:
    assert check_worded(text, ["engagement"], VIEW, merchant_names=("Olive Garden", "Target")) is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("cites: [spend_trend]", "cites: [mood]", "is no field"),
        ("spend_trend: [increasing]", "spend_trend: [rising]", "not values"),
        ("when: {spend_trend: [increasing]}", "when: {engagement: [high]}", "without citing"),
        ("id: trend_steady", "id: trend_up", "used twice"),
        ("Card use has grown lately", "Since the wedding", "sensitive"),
    ],
)
def test_a_bad_catalogue_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = (POLICIES / "hypotheses.yaml").read_text(encoding="utf-8")
    path = tmp_path / "hypotheses.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=words) as caught:
        load_hypotheses(path)
    assert caught.value.line > 4


def test_a_view_with_too_few_hypotheses_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "hypotheses.yaml"
    path.write_text(
        "version: '1'\nhypotheses:\n  - {id: a, text: Likes it., cites: [engagement], when: {engagement: [high]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(PolicyInvalid, match="hypotheses for"):
        load_hypotheses(path)
