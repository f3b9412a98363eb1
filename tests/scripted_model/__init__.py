"""An OpenAI-compatible chat endpoint on loopback that answers by script. Real HTTP: the product sees a model.

    with ScriptedModel() as script:
        script.reply("draft_select", [Status(429, retry_after=0.2), {"option_id": "x"}, Default()])
        ...                                            # point LLM_BASE_URL at script.base_url
        assert script.count == 3

Without a rule, every request with a JSON schema gets a valid instance of it, chosen by a hash of its messages; a judge
is answered sensibly: ok for every question, the control question right.
"""

from tests.scripted_model.judging import JudgeCall, entry, judged
from tests.scripted_model.replies import (
    Call,
    Default,
    Drop,
    EmptyChoices,
    HalfBody,
    HalfJson,
    Hang,
    Latency,
    PlainText,
    Refusal,
    Reply,
    Status,
    Truncated,
)
from tests.scripted_model.sampler import sample
from tests.scripted_model.server import ScriptedModel
from tests.scripted_model.writing import Writer, written

__all__ = [
    "Call",
    "Default",
    "Drop",
    "EmptyChoices",
    "HalfBody",
    "HalfJson",
    "Hang",
    "JudgeCall",
    "Latency",
    "PlainText",
    "Refusal",
    "Reply",
    "ScriptedModel",
    "Status",
    "Truncated",
    "Writer",
    "entry",
    "judged",
    "sample",
    "written",
]
