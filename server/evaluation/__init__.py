"""Prompt evaluation: a golden set run under versions of a prompt, measured and compared."""
