"""Words that make a sentence of copy a condition: what enrols, lasts, covers, pays, limits, binds or costs.

`CUES` is the whole rulebook. A cue says which kind of statement stands there; `tools.grounding.licences` says which
statements of that kind an offer supports. A row may also be an allow-list: `after` holds the words that may follow
what the row names without making it a statement, so that any other word does ("the offer renews", "no refunds").
"""

from typing import Final

from tools.grounding.binding_cues import BINDING_CUES
from tools.grounding.cue_words import Cue
from tools.grounding.reach_cues import REACH_CUES
from tools.grounding.time_cues import TIME_CUES

CUES: Final[tuple[Cue, ...]] = (*TIME_CUES, *REACH_CUES, *BINDING_CUES)
