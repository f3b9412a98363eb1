import shutil
from pathlib import Path

import pytest

from tools.email.brand import Brand
from tools.email.colour import contrast, parse_colour
from tools.email.markup import check_markup
from tools.email.message import TEMPLATES, Mailer
from tools.errors import TemplateFault

SECRET = b"sixteen bytes or more"


@pytest.fixture
def templates(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


def change(path: Path, old: str, new: str) -> None:
    source = path.read_text("utf-8")
    assert old in source
    path.write_text(source.replace(old, new, 1), "utf-8")


def test_the_contrast_of_black_on_white_is_21_and_of_a_known_pair_4_48() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    grey = parse_colour("#777")
    assert grey == (119, 119, 119)
    assert contrast(grey, (255, 255, 255)) == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize(
    "value", ["#fffe", "#fffff", "rgb(300, 0, 0)", "rgba(0, 0, 0, 0.5)", "currentColor", "var(--x)", ""]
)
def test_a_colour_that_can_not_be_judged_is_none(value: str) -> None:
    assert parse_colour(value) is None


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('ink_soft = "#516072"', 'ink_soft = "#a0a8b0"', r"\[light\] ink_soft on sheet has a contrast"),
        ('button = "#93c4ff"', 'button = "#1b2533"', r"\[dark\] button_ink on button"),
        ('page = "#e9edf2"', 'page = "red"', "light.page"),
        ("body = 16", "body = 13", "sizes.body"),
        ("fine = 13", "fine = 11", "sizes.fine"),
        ("[dark]", "[darkness]", "darkness"),
        ("headline = 34", "headline = 60", "sizes.headline"),
        ("figure = 64", "figure = 0", "sizes.figure"),
        ('gold = "#c99a3c"', 'gold = "url(x)"', "cards.gold"),
        ('platinum = "#8d97a3"', "", "cards.platinum"),
        ('text = "', 'text = "x;} body{display:none', "fonts.text"),
        ("[fonts]", "[fonts", "theme.toml"),
    ],
)
def test_a_theme_that_is_faint_or_malformed_stops_the_mailer(templates: Path, old: str, new: str, reason: str) -> None:
    change(templates / "theme.toml", old, new)
    with pytest.raises(TemplateFault, match=reason):
        Mailer(Brand(), token_secret=SECRET, templates=templates)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("<mj-spacer", "<mj-image", "<mj-image> is not an allowed tag"),
        ("<mj-spacer", "<mj-spacr", "<mj-spacr> is not an allowed tag"),
        ('<mj-spacer height="1px"', '<mj-spacer heigth="1px"', "'heigth'"),
        ("<h2", "<h2 onclick='x'", "'onclick'"),
        ("<mj-raw>", "<mj-raw><script>x</script>", "<script>"),
        ("</mj-body>", "", "not well-formed"),
        ("{{ headline }}", "{{ headlin }}", "unknown name 'headlin'"),
        ("{{ headline }}", "{{ headline", "offer.mjml.j2"),
        ("{% endfor %}", "", "offer.mjml.j2"),
    ],
)
def test_a_template_that_is_not_understood_stops_the_mailer(templates: Path, old: str, new: str, reason: str) -> None:
    change(templates / "offer.mjml.j2", old, new)
    with pytest.raises(TemplateFault, match=reason):
        Mailer(Brand(), token_secret=SECRET, templates=templates)


def test_every_branch_of_a_template_is_checked() -> None:
    with pytest.raises(TemplateFault, match="<mj-image>"):
        check_markup("t", "<mjml><mj-body>{% if x %}<mj-spacer />{% else %}<mj-image />{% endif %}</mj-body></mjml>")
    with pytest.raises(TemplateFault, match="must start with <mjml>"):
        check_markup("t", "<html />")


def test_a_missing_file_is_a_template_fault(templates: Path) -> None:
    (templates / "offer.txt.j2").unlink()
    with pytest.raises(TemplateFault, match=r"offer\.txt\.j2: can't be read"):
        Mailer(Brand(), token_secret=SECRET, templates=templates)


def test_the_template_digest_follows_each_file(templates: Path) -> None:
    before = Mailer(Brand(), token_secret=SECRET, templates=templates).template_sha
    assert before == Mailer(Brand(), token_secret=SECRET).template_sha
    change(templates / "theme.toml", "radius = 12", "radius = 10")
    assert Mailer(Brand(), token_secret=SECRET, templates=templates).template_sha != before
