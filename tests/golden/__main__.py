"""Draw the golden set anew: `python -m tests.golden [--check]`. Reviewed, then committed; runs never draw it."""

import argparse
import sys
from pathlib import Path
from typing import Final

from graph.rulebook import load_rulebook
from graph.settings import load_settings
from server.evaluation.golden import CASES, MEMBERS, SETTING
from tests.golden.draw import Cell, draw
from tools.menus import Menus

FOLDER: Final = Path(__file__).parent


def files() -> dict[str, str]:
    """Return the text of every file of the golden set."""
    menus = load_rulebook(load_settings(_env_file=None)).menus
    return dict(zip((SETTING, CASES, MEMBERS), draw(smallest(menus)), strict=True))


def smallest(menus: Menus) -> Cell:
    """Return a cell of the fewest options."""
    return min(menus.menus, key=lambda cell: (len(menus.menus[cell].options), cell))


def main() -> int:
    """Write the files, or with `--check` say which differ from those kept."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if a file would change")
    check = parser.parse_args().check
    changed = 0
    for name, text in files().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        changed += 1
        print(f"{path} {'would change' if check else 'written'}")
        if not check:
            path.write_text(text, encoding="utf-8")
    return int(bool(check and changed))


if __name__ == "__main__":
    sys.exit(main())
