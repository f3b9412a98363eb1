"""What can be said of a prompt file without rendering it or asking a gate: faults, each with its place and remedy."""

from tools.prompt_checks.faults import Fault
from tools.prompt_checks.file import Checked, check_file
from tools.prompt_checks.sections import PartName, Section
from tools.prompt_checks.shared import SharedTexts, read_shared

__all__ = ["Checked", "Fault", "PartName", "Section", "SharedTexts", "check_file", "read_shared"]
