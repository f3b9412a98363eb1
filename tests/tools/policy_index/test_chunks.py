from hypothesis import given
from hypothesis import strategies as st

from tests.tools.policy_index.samples import document
from tools.policy_index.chunks import MAX_CHARS, chunks_of, embedded_text, metadata_of, scope_filter

words = st.text(st.characters(codec="utf-8", categories=("L", "N")), min_size=1, max_size=40)
paragraphs = st.lists(words, min_size=1, max_size=300).map(" ".join)


def test_each_heading_starts_a_chunk_that_carries_its_title() -> None:
    chunks = chunks_of(document("travel", "Before any heading.\n\n# Flights\nBooked direct.\n\n## Hotels ##\nStays."))
    assert [(entry, chunk.section, chunk.text) for entry, chunk in chunks.items()] == [
        ("travel#0", "travel", "Before any heading."),
        ("travel#1", "Flights", "Booked direct."),
        ("travel#2", "Hotels", "Stays."),
    ]
    assert embedded_text(chunks["travel#1"]) == "Flights\nBooked direct."


def test_empty_prose_gives_no_chunk() -> None:
    assert chunks_of(document("empty", " \n\n# Only a title\n")) == {}


@given(st.lists(paragraphs, min_size=1, max_size=6))
def test_every_word_is_kept_in_order_and_no_chunk_is_too_long(texts: list[str]) -> None:
    chunks = chunks_of(document("p", "\n\n".join(texts))).values()
    assert " ".join(chunk.text for chunk in chunks).split() == " ".join(texts).split()
    assert all(len(chunk.text) <= MAX_CHARS for chunk in chunks)


def test_long_paragraphs_are_cut_between_sentences() -> None:
    sentence = "A" + "b" * 398 + "."
    chunks = list(chunks_of(document("p", " ".join([sentence] * 5))).values())
    assert [chunk.text for chunk in chunks] == [f"{sentence} {sentence}", f"{sentence} {sentence}", sentence]


def test_metadata_flag_every_scope_value() -> None:
    policy = document("dining", "# Where\nRestaurants.", domains=("Dining", "Business Services"), card_types=("gold",))
    chunk = chunks_of(policy)["dining#0"]
    assert chunk.scope == {"domain:Dining", "domain:Business Services", "card_type:gold", "channel:*", "offer_type:*"}
    flags = {name for name, value in metadata_of(chunk).items() if value is True}
    assert flags == chunk.scope


def test_a_filter_admits_what_is_open_and_each_value_asked_for() -> None:
    assert scope_filter({"domain": ("Dining",), "card_type": (), "channel": ("any", "online_only")}) == {
        "$and": [
            {"$or": [{"domain:*": True}, {"domain:Dining": True}]},
            {"card_type:*": True},
            {"$or": [{"channel:*": True}, {"channel:any": True}, {"channel:online_only": True}]},
        ]
    }
