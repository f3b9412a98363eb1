"""What each channel of the state holds, in a sentence: Studio shows it beside the value."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from graph.schemas import OfferInput

MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{name: field.description or "" for name, field in OfferInput.model_fields.items()},
        "prediction": "The prediction, as validated when the run began.",
        "run": "What identifies the run: ids, mode, dates and limits; deadline_s in seconds, started_at since 1970.",
        "member": "The cardmember's row: sealed, for nodes alone, in no checkpoint.",
        "found": "Whether there is a cardmember of that user_id.",
        "recorded": "An outcome that was recorded before and is answered again.",
        "screening": "What the ledger counted for the member, and every reason to hold them back.",
        "analysis": "The member's behaviour in words and bands, for the reply.",
        "view": "All that a prompt sees of the member: seven bands and enums.",
        "menu": "The options a draft may choose from; their values and conditions are the issuer's.",
        "candidates": "The partner merchants a draft may name.",
        "week": "Week of sending, which turns the order of lists.",
        "hypotheses": "Why an offer may help, each citing fields of the view.",
        "dropped": "What analysis said that was not kept, and why.",
        "policies": "The policies a draft is told of: briefs, and prose where retrieval found it near.",
        "draft": "An option, merchants and copy with slots. Edit it before check_compliance: the gate judges any edit.",
        "attempts": "Drafts asked for so far.",
        "history": "Every draft with what the gate said of it.",
        "feedback": "What the next draft is told of the last one.",
        "criticised": "Approved blocks that broke a clause and are not chosen again.",
        "loop_end": "Why a draft that did not pass is not sent back again.",
        "money": "What is reserved for the offer, in USD, and what its budgets have left.",
        "terms": "The terms of the chosen option, computed by code.",
        "copy": "The draft's copy with its slots filled.",
        "terms_text": "Terms and conditions as the email prints them.",
        "report": "What the gate says of the last draft: every clause in scope with its result.",
        "use_llm": "Whether the model is asked for hypotheses.",
        "deadline_at": "When the run must be over, in seconds since 1970; a preview gives each model call all of it.",
        "variants": "Variant of each prompt that has one in this run.",
        "prompts": "Digest of each prompt the run began with.",
        "needs_person": "Whether a passing draft waits for a person.",
        "review": "What the person said.",
        "message": "The built email: sealed, for nodes alone, in no checkpoint.",
        "reply_html": "The reply's email: sealed, for nodes alone, in no checkpoint.",
        "message_report": "What the message clauses say of the built email.",
        "deliveries": "The offer in each channel beside the email, or why it is left out.",
        "calls": "Every model call: its step, prompt digest, tokens and time.",
        "degraded": "What the run had to do without.",
        "failure": "Why the run ends without an offer.",
        "output": "The outcome, as every caller gets it.",
    }
)
"""By channel."""
