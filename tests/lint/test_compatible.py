"""What the version before (tests/upgrade/previous) relies on is still there: migrations that have run stay as they are and new
ones only add, schemas only grow, and no number of an error gets another meaning."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/integration")]

import previous  # noqa: E402

SCHEMAS = ("ids", "client", "bus", "log")
BREAKING = re.compile(r"^-- Breaking: \S", re.MULTILINE)
# A table that the same migration makes may be as it likes.
TAKES_AWAY = re.compile(
    r"\b(DROP|RENAME|TRUNCATE|DELETE\s+FROM|ALTER\s+COLUMN|REVOKE|ADD\s+(CONSTRAINT|CHECK|UNIQUE|PRIMARY|FOREIGN))\b"
    r"|\bCREATE\s+UNIQUE\s+INDEX\b",
    re.IGNORECASE,
)
NEEDED_COLUMN = re.compile(r"\bADD\s+COLUMN\b(?![^,;]*\bDEFAULT\b)[^,;]*\bNOT\s+NULL\b", re.IGNORECASE)
ERROR = re.compile(r"^\s+(k\w+) = (\d+),", re.MULTILINE)
REQUIRED = re.compile(r"^\s+(\w+):[^;]*\(required\)", re.MULTILINE)
TABLE = re.compile(r"^table (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)


def harm(sql: str) -> list[str]:
    """Statements after which an older program would not work as before."""
    if BREAKING.search(sql):
        return []
    text = re.sub(r"--[^\n]*", "", sql)
    made = set(re.findall(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(\w+)", text, re.IGNORECASE))
    found = []
    for statement in map(str.strip, text.split(";")):
        on = re.search(r"\b(?:ALTER\s+TABLE|ON)\s+(\w+)", statement, re.IGNORECASE)
        if on and on[1] in made or re.match(r"CREATE\s+TABLE\b", statement, re.IGNORECASE):
            continue
        if TAKES_AWAY.search(statement) or NEEDED_COLUMN.search(statement):
            found.append(statement)
    return found


def required(schema: str) -> set[tuple[str, str]]:
    return {(name, field) for name, body in TABLE.findall(schema) for field in REQUIRED.findall(body)}


class Compatible(unittest.TestCase):
    before: Path

    @classmethod
    def setUpClass(cls) -> None:
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.before = previous.unpack(Path(directory.name) / "source")

    def test_migrations_that_have_run_stay_and_new_ones_only_add(self) -> None:
        now = sorted((ROOT / "schemas/sql").glob("*.sql"))
        numbers = [int(path.name.partition("_")[0]) for path in now]
        self.assertEqual(numbers, list(range(1, len(now) + 1)))
        known = {path.name: path.read_text() for path in (self.before / "schemas/sql").glob("*.sql")}
        self.assertLessEqual(known.keys(), {path.name for path in now})
        for path in now:
            with self.subTest(path.name):
                if path.name in known:
                    self.assertEqual(path.read_text(), known[path.name])
                else:
                    self.assertEqual(harm(path.read_text()), [], "add '-- Breaking: reason', or only add")

    def test_what_harms_is_found(self) -> None:
        for sql, findings in [
            ("ALTER TABLE a DROP COLUMN b;", 1),
            ("ALTER TABLE a RENAME COLUMN b TO c;", 1),
            ("ALTER TABLE a ALTER COLUMN b TYPE text;", 1),
            ("ALTER TABLE a ADD COLUMN b bigint NOT NULL;", 1),
            ("ALTER TABLE a ADD COLUMN b bigint NOT NULL DEFAULT 0;", 0),
            ("ALTER TABLE a ADD COLUMN b bigint DEFAULT 0 NOT NULL;", 0),
            ("CREATE UNIQUE INDEX i ON a (b);", 1),
            ("CREATE TABLE a (b bigint NOT NULL); CREATE UNIQUE INDEX i ON a (b);", 0),
            ("-- DROP TABLE a;\nCREATE INDEX i ON a (b);", 0),
            ("-- Breaking: nobody reads it since 0.1\nDROP TABLE a;", 0),
        ]:
            with self.subTest(sql):
                self.assertEqual(len(harm(sql)), findings)

    def conforms(self, name: str, schema: str) -> str:
        """What flatc has against this schema after the one before; empty: nothing."""
        with tempfile.TemporaryDirectory() as scratch:
            for each in (ROOT / "schemas").glob("*.fbs"):
                Path(scratch, each.name).write_text(each.read_text())
            Path(scratch, f"{name}.fbs").write_text(schema)
            base = self.before / "schemas"
            done = subprocess.run(
                ["flatc", "--conform", str(base / f"{name}.fbs"), "--conform-includes", str(base), f"{name}.fbs"],
                cwd=scratch, capture_output=True, text=True, check=False,
            )  # fmt: skip
        return (done.stdout + done.stderr).strip() if done.returncode else ""

    def test_schemas_only_grow(self) -> None:
        for name in SCHEMAS:
            with self.subTest(name):
                old = (self.before / f"schemas/{name}.fbs").read_text()
                new = (ROOT / f"schemas/{name}.fbs").read_text()
                self.assertEqual(self.conforms(name, new), "")
                tables = {table for table, _ in TABLE.findall(old)}
                demanded = {one for one in required(new) if one[0] in tables}
                self.assertEqual(demanded - required(old), set(), "the version before does not send them")
                self.assertEqual(required(old) - required(new), set(), "the version before demands them")

    def test_a_schema_that_moves_a_field_is_found(self) -> None:
        new = (ROOT / "schemas/bus.fbs").read_text()
        moved = new.replace("  kind:AnswerKind;\n", "", 1)
        self.assertNotEqual(moved, new)
        self.assertNotEqual(self.conforms("bus", moved), "")
        other = new.replace("Refused = 2, Stored = 3", "Stored = 2, Refused = 3", 1)
        self.assertNotEqual(other, new)
        self.assertNotEqual(self.conforms("bus", other), "")

    def test_numbers_of_errors_keep_their_meaning(self) -> None:
        file = "src/base/error.h"
        old, new = (dict(ERROR.findall((top / file).read_text())) for top in (self.before, ROOT))
        self.assertGreater(len(old), 40)
        for name, number in old.items():
            self.assertEqual(new.get(name), number, name)
        self.assertEqual(len(set(new.values())), len(new), "a number twice")


if __name__ == "__main__":
    unittest.main()
