"""What reports as HTML have alike: templates that show strangers' text as text, and a style the page vouches for."""

import base64
import hashlib
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tools.readable import shown

TEMPLATES: Final = Path(__file__).parent / "templates"


def environment(folder: Path) -> Environment:
    """Return the templates of a folder; whatever a model, a policy or a file name holds is shown as text."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=lambda value: (
            value if isinstance(value, Markup) else shown(value) if isinstance(value, str) else value
        ),
    )


def styled(*files: Path) -> dict[str, str]:
    """Return the style of a page and its hash for the page's Content-Security-Policy, as `style` and `style_sha`."""
    style = "".join(file.read_text(encoding="utf-8") for file in files)
    return {"style": Markup(style), "style_sha": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()}
