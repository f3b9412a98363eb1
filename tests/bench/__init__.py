"""Repeatable benchmarks on real parts: `python -m tests.bench [name ...] [--quick]`. Each figure is a ratio to something."""
