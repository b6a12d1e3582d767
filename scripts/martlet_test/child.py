"""Runs one test program with a deadline."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from pathlib import Path

from martlet_cluster.patience import longer
from martlet_test import leftovers, sanitizers

_running: set[subprocess.Popen[bytes]] = set()
_lock = threading.Lock()


def kill_all() -> None:
    """The runner ends: so do its children, and the guardians of their clusters see to the rest."""
    with _lock:
        for child in list(_running):
            _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run(
    command: list[str],
    directory: Path,
    environment: dict[str, str],
    timeout_s: float,
    *,
    dump_signal: int | None = None,
    cwd: str | Path | None = None,
) -> str:
    """Empty when it exited with 0, otherwise how it ended. dump_signal asks a program that hangs to
    write its stacks to the log first."""
    scratch = directory / "tmp"
    scratch.mkdir(exist_ok=True)
    own = {leftovers.MARK: str(directory), "TMPDIR": str(scratch)} | sanitizers.variables(directory)
    with (directory / "output.log").open("ab") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **own, **environment},
            cwd=cwd,
            start_new_session=True,
        )
    with _lock:
        _running.add(child)
    try:
        code = child.wait(longer(timeout_s))
    except subprocess.TimeoutExpired:
        if dump_signal is not None:
            child.send_signal(dump_signal)
            try:
                child.wait(2)
            except subprocess.TimeoutExpired:
                pass
        return f"timeout after {timeout_s:g} s"
    finally:
        # Whatever it left behind in its session ends with it.
        _kill(child)
        child.wait()
        with _lock:
            _running.discard(child)
    if code < 0:
        return f"crash: {signal.Signals(-code).name}"
    return f"exit code {code}" if code else ""
