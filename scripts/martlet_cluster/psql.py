"""Queries through psql, for tests and people."""

from __future__ import annotations

import csv
import io
import os
import subprocess

from martlet_cluster import paths


# Rows as CSV alone, and an end at the first error.
OPTIONS = ("--no-psqlrc", "--csv", "--tuples-only", "--quiet", "-v", "ON_ERROR_STOP=1")


class PsqlError(Exception):
    """What psql printed when it failed."""


def program() -> str:
    return str(paths.postgres_bin() / "psql")


def query(url: str, sql: str, timeout_s: float = 30) -> list[list[str]]:
    """Rows as text; NULL is an empty string, bytea is \\x and hex."""
    environment = {**os.environ, "PGCONNECT_TIMEOUT": "5", "PGTZ": "UTC"}
    done = subprocess.run(
        [program(), *OPTIONS, url],
        input=sql,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        timeout=timeout_s,
    )
    if done.returncode != 0:
        raise PsqlError(done.stderr.strip())
    return rows(done.stdout)


def rows(text: str) -> list[list[str]]:
    """Of what psql printed with OPTIONS. A single NULL is written as an empty line."""
    return [row or [""] for row in csv.reader(io.StringIO(text))]
