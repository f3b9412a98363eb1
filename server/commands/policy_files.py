"""A policy file as somebody sends it in from the command line."""

from pathlib import Path

from tools.errors import InputInvalid
from tools.policies.source import is_policy_file


def submission_of(file: Path, *, policy_type: str | None, domain: str | None) -> dict[str, str]:
    """Return the fields of a proposal; prose without front matter takes the file's name for its id.

    Raises InputInvalid for a file that can't be read as UTF-8, and for prose without a type.
    """
    try:
        content = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputInvalid(f"{file}: can't be read: {error}; a policy is a file of UTF-8 text") from error
    given = {"policy_id": file.stem, "content": content, "policy_type": policy_type, "domain": domain}
    if not is_policy_file(content) and policy_type is None:
        raise InputInvalid(
            f"{file}: no front matter, so it is prose: give its --type, such as offer, or add front matter"
        )
    return {name: value for name, value in given.items() if value is not None}
