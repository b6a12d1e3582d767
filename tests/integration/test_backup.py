"""The database is restored from a backup that lacks thousands of messages, while people write. The
log still has them: persist stores them again, and nothing is missing, doubled or out of order."""

from __future__ import annotations

import subprocess
import unittest
from pathlib import Path

from support import longer, new_directory
from traffic import TrafficTest

from martlet_cluster import paths

BEFORE = 1_000  # messages that the backup has
LACKING = 3_000  # at least; it does not have them, and the log does


class Backup(TrafficTest):
    apis = 0

    def test_an_older_backup_and_the_log_make_everything(self) -> None:
        self.wait_for_more(BEFORE)
        backup = self.dump()
        self.wait_for_more(LACKING, 60)
        self.cluster.stop_member("persist-1")
        stored = self.messages()
        self.restore(backup)
        restored = self.messages()
        self.assertGreaterEqual(restored, BEFORE)
        self.assertGreaterEqual(stored - restored, LACKING // 2, "the backup lacks much")
        self.cluster.start_member("persist-1")
        self.wait_for_more(BEFORE, 60)
        self.check_account()

    def messages(self) -> int:
        return int(self.cluster.psql("SELECT count(*) FROM messages")[0][0])

    def dump(self) -> Path:
        """One snapshot, taken while persist writes."""
        file = new_directory("backup") / "martlet.dump"
        self.run_tool("pg_dump", "--format=custom", "--file", str(file), self.cluster.postgres.url)
        return file

    def restore(self, backup: Path) -> None:
        options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
        self.run_tool("pg_restore", *options, "--dbname", self.cluster.postgres.url, str(backup))

    def run_tool(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(paths.postgres_bin() / name), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=longer(120),
        )
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
