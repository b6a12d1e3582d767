"""Processes that a test left behind: they are ended, and the test has failed."""

from __future__ import annotations

import signal
from pathlib import Path

from martlet_cluster import process

MARK = "MARTLET_TEST_DIR"
# Guardians need a moment to end the clusters of a test that was killed.
PATIENCE_S = 20


def _belongs(pid: str, mark: bytes, directory: bytes) -> bool:
    """By its environment; PostgreSQL overwrites that, but names its directory."""
    try:
        folder = Path("/proc", pid)
        return mark in (folder / "environ").read_bytes().split(b"\0") or directory in (
            folder / "cmdline"
        ).read_bytes().replace(b"\0", b" ")
    except OSError:
        return False


def find(directory: Path) -> list[process.ProcessId]:
    mark, prefix = f"{MARK}={directory}".encode(), f"{directory}/".encode()
    pids = [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [process.identify(int(pid)) for pid in pids if _belongs(pid, mark, prefix)]
    return [one for one in found if one is not None and process.is_alive(one)]


def end(directory: Path) -> list[str]:
    """What was left, as command lines; it is gone when this returns."""
    process.wait_until(lambda: not find(directory), PATIENCE_S, 0.1)
    left = []
    for one in find(directory):
        command = Path(f"/proc/{one.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        left.append(command.strip()[:100] or f"process {one.pid}")
        process.stop(one, signal.SIGKILL, 5)
    return left
