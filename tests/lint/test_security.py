"""docs/security.md: every threat that something stops has a test, and it is there."""

from __future__ import annotations

import re
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/security.md"
HEADER = "| threat | what stops it | test |"


def rows(page: str) -> Iterator[str]:
    """Of the tables of threats."""
    inside = False
    for line in page.splitlines():
        inside = line == HEADER or (inside and line.startswith("|"))
        if inside and line != HEADER and not line.startswith("|---"):
            yield line


def complaints(page: str, root: Path = ROOT) -> list[str]:
    found = []
    for row in rows(page):
        threat, _, tests = (cell.strip() for cell in row.strip("|").split("|"))
        named = re.findall(r"`([^`]+)`", tests)
        if not named:
            found.append(f"no test: {threat}")
        for one in named:
            path, _, name = one.partition("::")
            file = root / path
            if not path.startswith("tests/") or not file.is_file():
                found.append(f"{threat}: there is no {path}")
            elif name and not re.search(rf"\b{re.escape(name)}\b", file.read_text()):
                found.append(f"{threat}: {path} has no {name}")
    return found


class Security(unittest.TestCase):
    maxDiff = None

    def test_every_threat_has_its_test(self) -> None:
        self.assertGreater(len(list(rows(PAGE.read_text()))), 20)
        self.assertEqual(complaints(PAGE.read_text()), [])

    def test_what_is_missing_is_found(self) -> None:
        def found(tests: str) -> int:
            return len(complaints(f"{HEADER}\n|---|---|---|\n| a | b | {tests} |\n"))

        this = "tests/lint/test_security.py"
        self.assertEqual(found(f"`{this}`, `{this}::test_what_is_missing_is_found`"), 0)
        self.assertEqual(found(""), 1)
        self.assertEqual(found("`tests/lint/test_nothing.py`"), 1)
        self.assertEqual(found(f"`{this}::test_that_is_" + "not_there`"), 1)
        self.assertEqual(found("`docs/security.md`"), 1)


if __name__ == "__main__":
    sys.exit(unittest.main())
