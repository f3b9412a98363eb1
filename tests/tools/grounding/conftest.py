from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.grounding import grounding_checks, grounding_detectors
from tools.report import Evidence
from tools.subject import Detector, Subject

CORPUS: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text(encoding="utf-8"))
DETECTORS: dict[str, Detector] = {
    detector.name: detector
    for detector in grounding_detectors(
        grounding_checks(
            merchant_names={name: tuple(aliases) for name, aliases in CORPUS["merchants"].items()},
            issuer=CORPUS["issuer"],
        )
    )
}
Find = Callable[..., list[Evidence]]


def subject_of(text: str | dict[str, str], offer: str | dict[str, object], **more: Any) -> Subject:
    facts = CORPUS["offers"][offer] if isinstance(offer, str) else offer
    fields = {"body": text} if isinstance(text, str) else text
    return Subject(text=fields, offer=facts, send_date=more.pop("send_date", date(2026, 11, 23)), **more)


@pytest.fixture
def find() -> Find:
    """Run one detector on copy for a named offer of the corpus, and check that evidence quotes what it points at."""

    def run(name: str, text: str | dict[str, str], offer: str | dict[str, object], **more: Any) -> list[Evidence]:
        params = more.pop("params", {})
        subject = subject_of(text, offer, **more)
        found = list(DETECTORS[name].run(subject, params))
        for evidence in found:
            if evidence.start is not None:
                assert subject.text[evidence.field][evidence.start : evidence.end] == evidence.quote
        return found

    return run
