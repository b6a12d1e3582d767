"""The rules of the house on the sources that git knows."""

from __future__ import annotations

import subprocess
import sys
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import content  # noqa: E402
import layers  # noqa: E402
import shape  # noqa: E402
from finding import Finding  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
Rule = Callable[[str, str], Iterator[Finding]]


def tracked_files() -> list[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(command, capture_output=True, check=True).stdout.decode().split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def read(name: str) -> str:
    try:
        return (ROOT / name).read_text()
    except UnicodeDecodeError:
        return ""


class Tree(unittest.TestCase):
    def check(self, rule: Rule) -> None:
        names = tracked_files()
        self.assertTrue(names, "git knows no file here")
        findings = [str(finding) for name in names for finding in rule(name, read(name))]
        if findings:
            self.fail("\n" + "\n".join(findings))

    def test_includes_keep_to_the_levels(self) -> None:
        self.check(layers.check)

    def test_content_stays_in_its_folder(self) -> None:
        self.check(content.check)

    def test_sizes_names_and_words(self) -> None:
        self.check(shape.check)

    def test_every_command_has_a_summary_and_a_place_in_the_docs(self) -> None:
        page = (ROOT / "docs/HACKING.md").read_text()
        for script in map(ROOT.joinpath, tracked_files()):
            if script.parent == ROOT / "scripts" and script.suffix == "":
                with self.subTest(script=script.name):
                    self.assertIn("\n# summary: ", script.read_text())
                    command = f"./dev {script.name}"
                    self.assertTrue(command in page, f"docs/HACKING.md does not name {command}")
