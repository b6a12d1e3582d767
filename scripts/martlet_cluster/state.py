"""cluster.json: what a later process needs to stop, watch or restart a cluster."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from martlet_cluster.errors import ClusterError

FORMAT = 1
FILE = "cluster.json"


def read(directory: Path) -> dict[str, Any] | None:
    try:
        text = (directory / FILE).read_text()
    except FileNotFoundError:
        return None
    try:
        value: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ClusterError(f"{directory / FILE} is damaged: {error}") from error
    if value.get("format") != FORMAT:
        raise ClusterError(f"{directory / FILE} has format {value.get('format')}, not {FORMAT}")
    return value


def write(directory: Path, value: dict[str, Any]) -> None:
    """Atomic, and private: it holds the servers' passwords."""
    # A guardian may write at the same moment as its cluster's owner.
    fresh = directory / f"{FILE}.{os.getpid()}.new"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"format": FORMAT, **value}, file, indent=2)
        file.write("\n")
    fresh.rename(directory / FILE)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """One command at a time works on a cluster's directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f".{directory.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"cluster: another command works on {directory}, waiting", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
