from tests.tools.policy_index.samples import DOCUMENTS, document
from tools.policy_index.chunks import chunks_of, embedded_text, metadata_of
from tools.policy_index.difference import StoredEntry, difference
from tools.policy_index.documents import SyncReport

WANTED = {policy.policy_id: chunks_of(policy) for policy in DOCUMENTS}
STORED: dict[str, StoredEntry] = {
    entry: (embedded_text(chunk), metadata_of(chunk)) for chunks in WANTED.values() for entry, chunk in chunks.items()
}
ALL = tuple(sorted(WANTED))


def test_an_index_that_agrees_needs_no_write() -> None:
    gap = difference(WANTED, STORED)
    assert not gap
    assert gap.report == SyncReport(unchanged=ALL)


def test_everything_is_added_to_an_empty_index() -> None:
    assert difference(WANTED, {}).report == SyncReport(added=ALL)


def test_a_shorter_version_updates_its_chunk_and_drops_the_rest() -> None:
    shorter = document("travel", "# Flights\nFlights booked direct.", version="1.1.0", domains=("Travel",))
    gap = difference(WANTED | {"travel": chunks_of(shorter)}, STORED)
    assert gap.surplus == ("travel#1",)
    assert list(gap.wrong) == ["travel#0"]
    assert gap.report.updated == ("travel",)


def test_a_changed_scope_alone_is_a_change() -> None:
    wider = document("dining", DOCUMENTS[0].prose, domains=("Dining", "Travel"))
    assert difference(WANTED | {"dining": chunks_of(wider)}, STORED).report.updated == ("dining",)


def test_a_policy_that_is_gone_and_an_entry_nobody_knows_are_removed() -> None:
    wanted = {policy_id: chunks for policy_id, chunks in WANTED.items() if policy_id != "travel"}
    gap = difference(wanted, STORED | {"stray": ("", {})})
    assert gap.surplus == ("stray", "travel#0", "travel#1")
    assert gap.report.removed == ("stray", "travel")
