import csv
import hashlib
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.tools.offer_content import POLICIES, cases, catalogue, menus
from tools.errors import InputInvalid, PolicyInvalid
from tools.merchants import TYPES_OF, load_catalogue
from tools.vocabulary import CARD_TYPES, DOMAINS, STRATEGIES

PARTNER_LIST_SHA = "218633c49bb1d0a307ced2c693919c6e51b3a6fd7b66e2e209c753bccf2529cc"


def test_the_catalogue_is_the_partner_list_to_the_letter() -> None:
    rows = sorted([p.id, p.name, p.domain, p.category] for p in catalogue().partners.values())
    with (Path(__file__).parent / "partner_list.csv").open(encoding="utf-8", newline="") as file:
        head, *listed = csv.reader(file)
    assert head == ["merchant_id", "name", "domain", "category"]
    assert rows == sorted(listed)
    assert len(rows) == 113
    assert hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest() == PARTNER_LIST_SHA


def test_a_region_list_without_the_territories_gives_its_reason() -> None:
    for partner in catalogue().partners.values():
        if partner.regions != "all" and "US-TERRITORIES" not in partner.regions:
            assert "footprint" in partner.source_note or "mainland" in partner.source_note, partner.id


def test_every_menu_has_four_to_six_candidates_of_its_domain_that_suit_every_option() -> None:
    for domain in DOMAINS:
        for card_type in CARD_TYPES:
            for strategy in STRATEGIES:
                options = menus().menu_for(domain, card_type, strategy).options
                found = catalogue().candidates(
                    domain,
                    campaign="online",
                    view_digest=f"{card_type}{strategy}",
                    channels={o.channel for o in options},
                )
                assert 4 <= len(found) <= 6
                assert len({merchant.merchant_id for merchant in found}) == len(found)
                for merchant in found:
                    partner = catalogue().partners[merchant.merchant_id]
                    assert partner.domain == domain
                    assert partner.regions == "all"
                    assert all(partner.type in TYPES_OF[option.channel] for option in options)


def test_candidates_depend_on_campaign_domain_and_view_alone() -> None:
    def pick(campaign: str, view: str) -> tuple[str, ...]:
        found = catalogue().candidates("Travel", campaign=campaign, view_digest=view, channels={"any"})
        return tuple(merchant.merchant_id for merchant in found)

    assert pick("online", "a") == pick("online", "a")
    assert len({pick("online", str(n)) for n in range(200)}) > 10
    assert len({pick(str(n), "a") for n in range(200)}) > 10


@pytest.mark.parametrize("domain", DOMAINS)
def test_partners_of_a_domain_get_a_fair_share(domain: str) -> None:
    views = 3000
    shown: Counter[str] = Counter()
    for number in range(views):
        found = catalogue().candidates(domain, campaign="online", view_digest=str(number), channels={"any"})
        shown.update(merchant.merchant_id for merchant in found)
    eligible = [p.id for p in catalogue().partners.values() if p.domain == domain and p.sells_in(None)]
    fair = 6 * views / len(eligible)
    assert set(shown) == set(eligible)
    assert all(0.75 * fair < count < 1.25 * fair for count in shown.values())


def test_a_campaign_may_fix_one_region_for_all() -> None:
    shown = {
        merchant.merchant_id
        for number in range(100)
        for merchant in catalogue().candidates(
            "Dining", campaign="c", view_digest=str(number), channels={"any"}, region="US-SOUTH"
        )
    }
    assert "MERCH_CHIPOTLE_602" in shown


def test_too_few_candidates_are_refused_in_words() -> None:
    with pytest.raises(InputInvalid, match="Entertainment sell"):
        catalogue().candidates("Entertainment", campaign="c", view_digest="v", channels={"in_store_only"})


def test_names_come_longest_first_with_aliases() -> None:
    names = catalogue().names()
    assert names.index("Amazon Business") < names.index("Amazon")
    assert {"AWS", "Disney Plus", "Ruth's Chris"} <= set(names)
    assert catalogue().names_of("MERCH_AWS_1801") == ("Amazon Web Services", "AWS")


def test_a_merchant_is_named_as_the_terms_carry_it() -> None:
    merchant = catalogue().get("MERCH_TIFFANY_1701")
    assert merchant is not None
    assert (merchant.merchant_name, merchant.merchant_category, merchant.merchant_type) == (
        "Tiffany & Co.",
        "Luxury",
        "both",
    )
    assert catalogue().get("MERCH_NOBODY") is None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("type: both", "type: mail", "merchants.0.type"),
        ("regions: all", "regions: [US-MOON]", "merchants.0.regions"),
        ("MERCH_UNITED_002", "MERCH_DELTA_001", "is used twice"),
        ("name: United Airlines", "name: Delta Air Lines", "keep one"),
        ("category: Airlines", "kategory: Airlines", "merchants.0.category"),
    ],
)
def test_bad_data_is_refused_with_its_line(tmp_path: Path, old: str, new: str, words: str) -> None:
    text = (POLICIES / "merchants.yaml").read_text(encoding="utf-8")
    path = tmp_path / "merchants.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(PolicyInvalid, match=words) as caught:
        load_catalogue(path)
    assert 14 < caught.value.line < 40


def test_every_option_of_every_menu_can_be_used_somewhere() -> None:
    assert {case.option.channel for case in cases()} == set(TYPES_OF)
