"""The message stage of the gate, run alone on a mail or a page that anyone made (`offers email lint`)."""

from tools.email_lint.files import Given, Unreadable, read_file
from tools.email_lint.linter import Linter, LintReport
from tools.email_lint.listing import listing

__all__ = ["Given", "LintReport", "Linter", "Unreadable", "listing", "read_file"]
