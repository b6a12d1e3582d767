"""The build needs no wrap where the system has the libraries; the wraps are pinned and listed."""

from __future__ import annotations

import configparser
import re
import subprocess
import unittest

from support import ROOT, new_directory

WRAPS = ROOT / "subprojects"
DEPENDENCY = re.compile(r"dependency\('([^']+)'")
ROW = re.compile(r"^\| (\S+) \| [^|]+ \| (\S+) \|", re.MULTILINE)


def wraps() -> dict[str, configparser.ConfigParser]:
    found = {}
    for file in WRAPS.glob("*.wrap"):
        parsed = configparser.ConfigParser()
        parsed.read(file)
        found[file.stem] = parsed
    return found


class Wraps(unittest.TestCase):
    def test_it_configures_without_them(self) -> None:
        build = new_directory("nofallback") / "build"
        done = subprocess.run(
            ["meson", "setup", str(build), str(ROOT), "--wrap-mode=nofallback"],
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])
        self.assertTrue((build / "build.ninja").exists())
        self.assertNotIn("Executing subproject", done.stdout)

    def test_each_is_pinned_to_the_release_that_the_page_names(self) -> None:
        rows = dict(ROW.findall((WRAPS / "README.md").read_text()))
        del rows["wrap"]  # the head of the table
        self.assertEqual(rows, {name: w["wrap-git"]["revision"] for name, w in wraps().items()})
        for release in rows.values():
            self.assertRegex(release, r"\d+\.\d+", "a branch moves, a release does not")

    def test_each_provides_what_the_build_asks_for(self) -> None:
        asked = set(DEPENDENCY.findall((ROOT / "meson.build").read_text()))
        for name, parsed in wraps().items():
            with self.subTest(wrap=name):
                self.assertTrue(asked.intersection(parsed["provide"]), "nobody asks for it")


if __name__ == "__main__":
    unittest.main()
