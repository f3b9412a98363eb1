"""The golden set that `offers eval` runs, and the script that drew it once: `python -m tests.golden`."""
