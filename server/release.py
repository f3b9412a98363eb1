"""Which release of OfferGraph this is."""

from importlib.metadata import PackageNotFoundError, version
from typing import Final

NOT_INSTALLED: Final = "0.0.0+source"


def release() -> str:
    """Return the installed release; a source tree that was never installed has none and says so."""
    try:
        return version("offergraph")
    except PackageNotFoundError:
        return NOT_INSTALLED
