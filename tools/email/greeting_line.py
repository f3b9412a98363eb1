"""The greeting line of a mail: the one place where a member's name stands, and what may read it there.

A campaign's mails of one draft differ in tokens and in this name. So the draft's mail is rendered and judged once, for
a name nobody has, and the name is put in later; this says when that is the same as judging each mail.
"""

import re
import secrets
from typing import Final

from markupsafe import escape

from tools.email.elements import squeeze
from tools.email.names import LONGEST
from tools.policies.clauses import ActiveClause
from tools.policies.schema import CodeClause
from tools.report import SATISFIED, ClauseResult, ComplianceReport
from tools.subject import Subject

_LETTERS: Final = (0x20000, 0x2A6DF)
"""CJK extension B: letters that a name may hold, and of all letters those that take most room in HTML."""
GREETS: Final = "Hi "
"""Stands before the name in its line; a comma ends it."""

NEAR_SIGHTED: Final = frozenset(
    {
        # These read headers, structure, styles or links, none of which holds the name.
        *("message_subject_length", "message_one_click", "message_list_headers", "message_headers", "message_subject"),
        *("message_language_and_title", "message_headings", "message_alternatives", "message_link_texts"),
        *("message_tables", "message_contrast", "message_dark_scheme", "message_text_size", "message_well_formed"),
        *("message_rates_link", "message_no_active_content", "message_link_texts_honest", "message_no_tracking"),
        # These want something to be there: what is there beside an unheard-of name is there beside any.
        *("message_shows_offer", "message_opt_out", "message_ad_identified", "message_postal_address"),
        # These measure, and no name makes a mail larger than the placeholder does.
        *("message_size", "message_mime"),
        # These find marks that no comma may part: the greeting line shows by itself those a name makes.
        *("message_no_hidden_text", "message_links_allowed", "message_no_placeholders", "message_parts_agree"),
        # This one reads sentences: `reaches_far` knows the names that may be a word of one.
        "message_opt_out_simple",
    }
)
"""Detectors known to say the same of a mail they pass whatever plain name is greeted."""

_FAR: Final = re.compile(r"unsubscrib|opt(?:ing)?-?out|request|letter|^(?:call|phone|fee|charge|survey)\b")
"""What of a name, in lower case, may be a word of a sentence on hard ways to opt out (`unsubscribe_checks`).

Such a sentence may run on over the greeting; of a name in its middle it takes the length alone, so the shortest name
shows it. The comma behind the name keeps all other words of that check from standing in it.
"""


def placeholder(letters: int = LONGEST) -> str:
    """Return a name that nobody has and no text holds; of the most letters, it is the bulkiest that is greeted."""
    return "".join(chr(_LETTERS[0] + secrets.randbelow(_LETTERS[1] - _LETTERS[0])) for _ in range(letters))


def in_html(name: str) -> str:
    """Return a name as the HTML of a mail has it: escaped by Jinja, beyond ASCII by number."""
    return str(escape(name)).encode("ascii", "xmlcharrefreplace").decode()


def reaches_far(name: str) -> bool:
    """Tell whether a name may make sense to a check together with words outside its line."""
    return _FAR.search(name.lower()) is not None


def leaves_line_alone(subject: Subject) -> bool:
    """Tell whether no text of the offer could be taken for the greeting line, which then is the template's alone."""
    return GREETS not in f"{squeeze(' '.join(subject.text.values()))} "


def is_near_sighted(clause: ActiveClause) -> bool:
    """Tell whether a clause is known to take all plain names alike, or is asked of each member's mail anyway."""
    if "member" in clause.depends_on or "message" not in clause.depends_on:
        return True
    return isinstance(clause.clause, CodeClause) and clause.clause.detector in NEAR_SIGHTED


def shared(report: ComplianceReport) -> list[ClauseResult]:
    """Return the results of clauses that read nothing of the member."""
    return [one for one in report.results if "member" not in one.depends_on]


def is_clear(report: ComplianceReport) -> bool:
    """Tell whether no clause that reads nothing of the member found anything to show, not even to warn of."""
    return all(one.result in SATISFIED and not one.evidence for one in shared(report))
