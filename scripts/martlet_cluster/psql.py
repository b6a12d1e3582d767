"""Queries through psql, for tests and people."""

from __future__ import annotations

import csv
import io
import os
import subprocess

from martlet_cluster import paths


class PsqlError(Exception):
    """What psql printed when it failed."""


def program() -> str:
    return str(paths.postgres_bin() / "psql")


def query(url: str, sql: str, timeout_s: float = 30) -> list[list[str]]:
    """Rows as text; NULL is an empty string, bytea is \\x and hex."""
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "5", "PGTZ": "UTC"}
    done = subprocess.run(
        [
            program(),
            "--no-psqlrc",
            "--csv",
            "--tuples-only",
            "--quiet",
            "-v",
            "ON_ERROR_STOP=1",
            url,
        ],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=timeout_s,
    )
    if done.returncode != 0:
        raise PsqlError(done.stderr.strip())
    # A single NULL is written as an empty line.
    return [row or [""] for row in csv.reader(io.StringIO(done.stdout))]
