"""Repeatable benchmarks on real parts, each figure with what it is a ratio to: `python -m tests.bench`."""
