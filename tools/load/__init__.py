"""Load a file of cardmembers into PostgreSQL: good rows in one transaction, every bad cell into a rejects file."""

from tools.load.loader import load_file
from tools.load.report import LoadProgress, LoadReport

__all__ = ["LoadProgress", "LoadReport", "load_file"]
