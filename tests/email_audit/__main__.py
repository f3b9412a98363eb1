"""Audit a message of every offer type with html-validate, caniemail and axe-core: `make email-audit`.

Needs npm with access to its registry, Node.js 20.19 or later, a Chromium and the extra `pictures`. Nothing is written
into the project: packages and messages go to a scratch folder. A finding that `explained.yaml` has no reason for
makes the audit fail.
"""

import argparse
import json
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from tests.gate.offers import open_book
from tests.pictures import VIEWS, chromium, messages

HERE: Final = Path(__file__).parent
Finding = dict[str, Any]
"""`file`, `tool`, `rule`, `message`, `line`."""


def main() -> int:
    """Install the tools, build the messages and print what is found; 1 for a finding without a reason."""
    parser = argparse.ArgumentParser(prog="python -m tests.email_audit", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where packages and messages go and stay; none: a temporary one")
    chosen = parser.parse_args()
    if missing := [name for name in ("npm", "node") if not shutil.which(name)]:
        print(f"{' and '.join(missing)} not found: install Node.js 20.19 or later, then run make email-audit again.")
        return 1
    if chosen.folder:
        chosen.folder.mkdir(parents=True, exist_ok=True)
        return _audit(chosen.folder)
    with tempfile.TemporaryDirectory(prefix="email-audit-") as folder:
        return _audit(Path(folder))


def _audit(folder: Path) -> int:
    for name in ("package.json", "audit.mjs"):
        shutil.copy(HERE / name, folder)
    installed = subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent"], cwd=folder
    )
    if installed.returncode:
        print("npm could not install html-validate, caniemail and axe-core: is its registry reachable?")
        return 1
    pages = []
    for offer_type, message in messages(open_book()):
        pages.append(folder / f"{offer_type}.html")
        pages[-1].write_text(message.html, "utf-8")
    return _said([*_static(folder, pages), *_accessible(folder, pages)])


def _static(folder: Path, pages: list[Path]) -> Iterator[Finding]:
    done = subprocess.run(
        ["node", "audit.mjs", *map(str, pages)], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    yield from map(json.loads, done.stdout.splitlines())


def _accessible(folder: Path, pages: list[Path]) -> Iterator[Finding]:
    """Yield what axe-core finds, in every view, and what it can't decide."""
    from playwright.sync_api import sync_playwright

    axe = (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for name, view in VIEWS.items():
            page = browser.new_context(
                viewport={"width": view.width, "height": 900}, color_scheme=view.scheme, offline=True
            ).new_page()
            for path in pages:
                page.set_content(path.read_text("utf-8"))
                page.evaluate(axe)
                result = page.evaluate("axe.run()")
                for kind in ("violations", "incomplete"):
                    for rule in result[kind]:
                        for node in rule["nodes"]:
                            message = f"{kind} ({name}): {rule['help']}: {node['html'][:120]}"
                            yield {"file": path.name, "tool": "axe-core", "rule": rule["id"], "message": message}
        browser.close()


def _said(findings: list[Finding]) -> int:
    groups = yaml.safe_load((HERE / "explained.yaml").read_text("utf-8"))
    by_rule: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        by_rule[finding["tool"], finding["rule"]].append(finding)
    reasons = {(group["tool"], rule): group["reason"] for group in groups for rule in group["rules"]}
    for (tool, rule), found in sorted(by_rule.items()):
        reason = reasons.get((tool, rule))
        print(f"{'explained' if reason else 'NEW':9}  {len(found):5}  {tool}: {rule}: {reason or found[0]['message']}")
    for tool, rule in sorted(set(reasons) - set(by_rule)):
        print(f"{'gone':9}  {0:5}  {tool}: {rule}: not found any more; take it out of explained.yaml")
    new = sorted(set(by_rule) - set(reasons))
    print(f"{len(by_rule)} kinds of findings, {len(new)} without a reason")
    return 1 if new else 0


if __name__ == "__main__":
    raise SystemExit(main())
