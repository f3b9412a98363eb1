"""What a reader of a comparison must keep in mind: what else differed, what was left out, what the model is."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from server.evaluation.measures import remembered
from server.evaluation.pairing import Pairing, sharing_a_prompt
from server.evaluation.records import Manifest
from server.evaluation.verdict import Verdict
from server.evaluation.wording import counted
from tools.prices import Prices

VALIDATED: Final = 20
"""Cases from which on the intervals' coverage was simulated."""
_ALSO: Final = {"model": "model", "endpoint": "endpoint", "copy_mode": "copy mode", "judge_model": "judge"}


def qualified(verdict: Verdict, a: Manifest, b: Manifest) -> Verdict:
    """Return the verdict with what else differs between the runs, which it can't tell from the prompt."""
    others = [
        f"{said} {getattr(a, field) or 'none'} before, {getattr(b, field) or 'none'} now"
        for field, said in _ALSO.items()
        if getattr(a, field) != getattr(b, field)
    ]
    others += [
        f"{name} {a.setup[name]} before, {b.setup[name]} now"
        for name in sorted(a.setup.keys() & b.setup.keys())
        if a.setup[name] != b.setup[name]
    ]
    if not others:
        return verdict
    return replace(verdict, why=f"{verdict.why} Not of the prompt alone: {'; '.join(others)}.")


def notes(a: Manifest, b: Manifest, pairing: Pairing, prices: Prices | None) -> tuple[str, ...]:
    """Return the notes in the order of their weight."""
    return tuple([*_of_the_runs(a, b, prices), *_of_the_cases(pairing)])


def _of_the_runs(a: Manifest, b: Manifest, prices: Prices | None) -> Iterator[str]:
    if "embedded" in (a.endpoint, b.endpoint):
        yield (
            "The embedded model has 135 million parameters: this says whether the prompt works at all, not what "
            "a model that is fit to write copy would make of it."
        )
    if a.digests == b.digests:
        yield "Both runs used the very same prompts: whatever differs is chance, or the model or endpoint."
    elif len(also := sorted(name for name in a.digests.keys() | b.digests.keys() if _differs(a, b, name))) > 1:
        yield f"More than one prompt differs ({', '.join(also)}): the difference is of all of them together."
    if None in (a.judge_model, b.judge_model) and "compose" in (a.copy_mode, b.copy_mode):
        yield (
            "Without a judge (JUDGE_MODEL) no copy that a model composed can pass, since clauses that only a judge "
            "answers hold it; see the first drafts that break no clause."
        )
    if prices is None:
        yield "No prices are set (LLM_INPUT_USD_PER_MILLION, LLM_OUTPUT_USD_PER_MILLION): the cost guard counts tokens."
    if a.repeat != b.repeat:
        yield f"The runs repeat each case {a.repeat} and {b.repeat} times; only repeats that both have are compared."


def _differs(a: Manifest, b: Manifest, name: str) -> bool:
    return a.digests.get(name) != b.digests.get(name)


def _of_the_cases(pairing: Pairing) -> Iterator[str]:
    if len(pairing.cases) < VALIDATED:
        yield f"Fewer than {VALIDATED} cases: intervals are not known to be right for so few."
    if shared := sharing_a_prompt(pairing):
        yield (
            f"{counted(shared, 'case')} of {len(pairing.cases)} put the same first prompt as another: intervals speak "
            "of members like these, but of fewer prompts than there are cases."
        )
    if known := sum(remembered(pair.a) or remembered(pair.b) for pairs in pairing.cases.values() for pair in pairs):
        yield (
            f"{counted(known, 'pair')} hold answers kept from before: no new draws, and in no figure of tokens, "
            "cost or seconds."
        )
    if pairing.alone:
        yield f"{counted(pairing.alone, 'result')} that only one run has are left out."
    if pairing.held:
        yield f"{counted(pairing.held, 'pair')} are left out because policy held the member back: no draft was due."
    if pairing.broken:
        yield f"{counted(pairing.broken, 'pair')} are left out: a part failed (database or policies), not the prompt."
