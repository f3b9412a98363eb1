"""Free text as a policy: whatever it holds, it stays text."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tools.policies.load import parse_policy
from tools.policies.policy_set import NO_MACHINE_CLAUSE
from tools.policies.prose_only import CLAUSE, prose_policy

TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=300).filter(str.strip)
TRAPS = st.sampled_from(
    [
        "---\nid: other\n---\nmore",
        "ends\n---\nclauses: []",
        '"quoted" \\ back: &anchor *alias',
        "{{ braces }} {first_name}",
        "# Heading\n\n- list: [1, 2",
        "\u2028\u0085 \x7f line ends",
        "!!python/object/apply:os.system ['true']",
    ]
)


@given(st.one_of(TEXT, TRAPS), st.sampled_from(["all", "Dining", "Business Services"]))
def test_any_text_becomes_one_judge_clause_that_holds_it_whole(content: str, domain: str) -> None:
    text = prose_policy(
        content,
        policy_id="note",
        version="1.0.0",
        policy_type="offer",
        domain=domain,
        sent_by="A: Author",
        sent_on=date(2026, 11, 1),
    )
    policy = parse_policy(text, name="note.md", detectors={})
    (clause,) = policy.front.clauses
    assert (policy.id, clause.id, clause.kind, clause.severity) == ("note", CLAUSE, "judge", "block")
    assert content.strip() in clause.question
    assert policy.scope.domains == (() if domain == "all" else (domain,))
    assert policy.note == NO_MACHINE_CLAUSE
    assert policy.is_active
