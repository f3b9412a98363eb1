"""What is measured of one drafted case: a table of measures, each with the results it can be taken of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, Literal

from server.evaluation.records import AttemptResult, CaseResult
from tools.prices import Prices
from tools.readability import ease, grade, words
from tools.vocabulary import COPY_FIELDS

Kind = Literal["rate", "mean"]
"""A rate is of results that are 0 or 1; a mean of any other number."""
Better = Literal["higher", "lower", "neither"]
Standing = Literal["drafted", "held", "broken"]

DRAFT: Final = "draft"
OWN: Final = frozenset({"model", "blocks"})
"""Sources of copy the prompt answers for; `fallback` is code's."""
HELD: Final = frozenset({"no_offer_needed", "user_not_found", "pending_review"})
NOT_THE_PROMPTS: Final = frozenset({"invalid_input", "database_unavailable", "policies_unavailable"})
"""Errors that no wording of a prompt causes or cures."""
PER_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of a case. `value` is None where the case can't show it: it is then in no denominator.

    `places` are the decimals reports show. An `opinion` is a model's, and no part of any verdict.
    """

    name: str
    title: str
    kind: Kind
    better: Better
    value: Callable[[CaseResult], float | None]
    unit: str = ""
    places: int = 1
    opinion: bool = False


def standing(result: CaseResult) -> Standing:
    """Tell whether a draft was due. Held: policy or a person kept it back. Broken: a part failed, not the prompt."""
    if result.recommendation.startswith("suppressed_") or result.recommendation in HELD:
        return "held"
    return "broken" if result.error_code in NOT_THE_PROMPTS else "drafted"


def own_attempts(result: CaseResult) -> tuple[AttemptResult, ...]:
    """Return the attempts that asked the drafting prompt, those without an answer included."""
    return tuple(one for one in result.attempts if one.draft is None or one.draft.source in OWN)


def first_attempt(result: CaseResult) -> AttemptResult | None:
    """Return the first thing the prompt was asked for; None when the run ended before."""
    own = own_attempts(result)
    return own[0] if own else None


def own_text(result: CaseResult) -> dict[str, str]:
    """Return the last draft that came of the prompt, with its slots, per field; empty when none came."""
    drafts = [one.draft for one in own_attempts(result) if one.draft is not None]
    return {str(name): text for name, text in drafts[-1].text.fields().items()} if drafts else {}


def passed_first(result: CaseResult) -> float:
    """Return 1 if the first draft was there and obeyed every clause, else 0."""
    first = first_attempt(result)
    return float(first is not None and first.draft is not None and first.verdict == "pass")


def unbroken(result: CaseResult) -> float:
    """Return 1 if the first draft was there and broke nothing, whether or not every clause could be shown to hold."""
    first = first_attempt(result)
    return float(first is not None and first.draft is not None and first.verdict != "violate")


def family(clause: str) -> str:
    """Return the family of `POLICY/clause`: UDAAP of UDAAP-10/as-if, and a policy of the issuer's own by itself."""
    return clause.partition("/")[0].partition("-")[0]


def broke(result: CaseResult, name: str) -> float:
    """Return 1 if the first draft broke a clause of the family."""
    first = first_attempt(result)
    return float(first is not None and name in {family(clause) for clause in first.violations})


def _fell_back(result: CaseResult) -> float:
    return float(result.copy_source not in OWN)


def _attempts(result: CaseResult) -> float | None:
    return float(len(own_attempts(result))) or None


def _grounded(result: CaseResult) -> float | None:
    told = result.hypotheses_kept + result.hypotheses_dropped
    return result.hypotheses_kept / told if told else None


def _shown(result: CaseResult) -> dict[str, str]:
    """Return the text as a member would read it, unless code's fallback stands there in place of the prompt's."""
    return {} if result.copy_source == "fallback" else result.copy_text


def _of_body(measured: Callable[[str], float], result: CaseResult) -> float | None:
    body = _shown(result).get("body", "")
    return measured(body) if words(body) else None


def _words(result: CaseResult) -> float | None:
    shown = _shown(result)
    return float(sum(len(words(text)) for text in shown.values())) if shown else None


def _characters(field: str, result: CaseResult) -> float | None:
    text = _shown(result).get(field)
    return None if text is None else float(len(text))


def remembered(result: CaseResult) -> bool:
    """Tell whether an answer was not asked of the model anew: its tokens and seconds are then not the prompt's."""
    return any(call.cached for call in result.calls)


def all_tokens(result: CaseResult) -> float | None:
    """Return the tokens of all calls, in and out."""
    return None if remembered(result) else float(sum(call.input_tokens + call.output_tokens for call in result.calls))


def _tokens(which: Literal["input_tokens", "output_tokens"], result: CaseResult) -> float | None:
    return None if remembered(result) else float(sum(getattr(call, which) for call in result.calls))


def _seconds(result: CaseResult) -> float | None:
    return None if remembered(result) else result.elapsed_ms / 1000


def _usd(prices: Prices, result: CaseResult) -> float | None:
    if remembered(result):
        return None
    return PER_THOUSAND * sum(
        prices.usd(input_tokens=one.input_tokens, output_tokens=one.output_tokens, cached_tokens=one.cached_tokens)
        for one in result.calls
    )


def _failed(code: str, result: CaseResult) -> float:
    return float(any(call.error_code == code for call in result.calls))


@cache
def measures(prices: Prices | None = None) -> tuple[Measure, ...]:
    """Return every measure in the order reports show them; the primary one first. Cost needs prices."""
    return (
        Measure("first_pass", "First draft passes", "rate", "higher", passed_first),
        Measure("unbroken", "First draft breaks no clause", "rate", "higher", unbroken),
        Measure("fallback", "Fallback copy, or no offer", "rate", "lower", _fell_back),
        Measure("attempts", "Drafts per offer", "mean", "lower", _attempts, places=2),
        Measure("no_answer", "A model call got no answer", "rate", "lower", partial(_failed, "model_unavailable")),
        Measure("unreadable", "An answer was unreadable", "rate", "lower", partial(_failed, "model_reply_invalid")),
        Measure("grounded", "Hypotheses that were grounded", "mean", "higher", _grounded, "share"),
        Measure("ease", "Reading ease of the body", "mean", "higher", partial(_of_body, ease)),
        Measure("grade", "School grade of the body", "mean", "neither", partial(_of_body, grade)),
        Measure("words", "Words of all copy", "mean", "neither", _words),
        *(
            Measure(f"length_{name}", f"Characters: {name}", "mean", "neither", partial(_characters, name))
            for name in COPY_FIELDS
        ),
        Measure("tokens_in", "Tokens in per offer", "mean", "lower", partial(_tokens, "input_tokens"), places=0),
        Measure("tokens_out", "Tokens out per offer", "mean", "lower", partial(_tokens, "output_tokens"), places=0),
        *_priced(prices),
        Measure("seconds", "Seconds per offer", "mean", "lower", _seconds, places=2),
        Measure(
            "quality",
            "Quality, a model's opinion",
            "mean",
            "higher",
            lambda result: result.quality,
            "share",
            opinion=True,
        ),
    )


def _priced(prices: Prices | None) -> Sequence[Measure]:
    if prices is None:
        return ()
    return (Measure("cost", "Cost of 1,000 offers", "mean", "lower", partial(_usd, prices), "USD", 2),)
