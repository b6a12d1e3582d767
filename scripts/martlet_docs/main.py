"""Refreshes or checks the page."""

from __future__ import annotations

import argparse
import difflib
import json
import re
import subprocess
from pathlib import Path

from martlet_cluster.errors import ClusterError
from martlet_cluster.paths import ROOT, service_binary
from martlet_docs.tables import LAYOUT, Description, table

PAGE = ROOT / "docs/operations.md"
SERVICES = ["edge", "dispatcher", "persist", "api"]


def described_services() -> list[str]:
    return [name for name in SERVICES if (ROOT / "src" / name / "main.cc").exists()]


def describe(service: str) -> Description:
    program = service_binary(service)
    done = subprocess.run(
        [program, "--describe"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    if done.returncode != 0:
        raise ClusterError(f"{program.name} --describe failed: {done.stderr.strip()}")
    description: Description = json.loads(done.stdout)
    return description


def refreshed(page: str, descriptions: list[Description]) -> str:
    """The page with the text between <!-- keys --> and <!-- end of keys --> made anew, and so on."""
    for part in LAYOUT:
        block = re.compile(rf"(<!-- {part} -->\n).*?(<!-- end of {part} -->)", re.DOTALL)
        text = table(part, descriptions)
        page, count = block.subn(lambda match, text=text: match[1] + text + match[2], page)
        if count != 1:
            raise ClusterError(f"{PAGE.name} has {count} blocks for {part} instead of one")
    return page


def difference(old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        "the page",
        "the services",
        n=0,
    )
    return "".join(lines)


def run(page: Path, check: bool) -> int:
    old = page.read_text()
    new = refreshed(old, [describe(service) for service in described_services()])
    if old == new:
        return 0
    if check:
        print(difference(old, new), end="")
        print(f"{page.name} differs from what the services say: ./dev describe-docs")
        return 1
    page.write_text(new)
    print(f"{page.relative_to(ROOT)} is refreshed")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev describe-docs")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it differs")
    options = parser.parse_args()
    try:
        return run(PAGE, options.check)
    except ClusterError as error:
        print(f"describe-docs: {error}")
        return 1
