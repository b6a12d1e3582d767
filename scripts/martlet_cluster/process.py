"""Processes by identity: a pid counts only together with its start time and the machine's boot, so
that a recycled pid is never signalled."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from martlet_cluster.patience import longer

BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass(frozen=True)
class ProcessId:
    pid: int
    start: int
    boot: str

    def to_json(self) -> dict[str, object]:
        return {"pid": self.pid, "start": self.start, "boot": self.boot}

    @staticmethod
    def from_json(value: dict[str, object]) -> ProcessId:
        return ProcessId(int(str(value["pid"])), int(str(value["start"])), str(value["boot"]))


# A longer log is put aside at the next start, one of them is kept.
MAX_LOG_BYTES = 64 << 20

# Started by this process.
_children: dict[ProcessId, subprocess.Popen[bytes]] = {}


def _stat_fields(pid: int) -> list[str] | None:
    """State, parent, …, of /proc/pid/stat; the name before them may hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def identify(pid: int) -> ProcessId | None:
    fields = _stat_fields(pid)
    return ProcessId(pid, int(fields[19]), BOOT_ID) if fields else None


def is_alive(process: ProcessId | None) -> bool:
    if process is None or process.boot != BOOT_ID:
        return False
    exit_code(process)
    fields = _stat_fields(process.pid)
    return fields is not None and int(fields[19]) == process.start and fields[0] not in "ZX"


def is_paused(process: ProcessId | None) -> bool:
    if process is None or not is_alive(process):
        return False
    fields = _stat_fields(process.pid)
    return fields is not None and fields[0] == "T"


def children_of(process: ProcessId) -> list[ProcessId]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat_fields(int(entry.name))
            if fields and int(fields[1]) == process.pid:
                found.append(ProcessId(int(entry.name), int(fields[19]), BOOT_ID))
    return found


def send_signal(process: ProcessId, number: int) -> bool:
    """False when the process is gone. The pidfd pins the process between check and signal."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return False
    try:
        if not is_alive(process):
            return False
        signal.pidfd_send_signal(handle, number)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(handle)


def wait_until(predicate: Callable[[], bool], timeout_s: float, step_s: float = 0.01) -> bool:
    deadline = time.monotonic() + longer(timeout_s)
    while True:
        if predicate():
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(step_s)


def wait_dead(process: ProcessId, timeout_s: float) -> bool:
    return wait_until(lambda: not is_alive(process), timeout_s)


def stop(process: ProcessId, number: int, timeout_s: float) -> bool:
    """Asks by signal, insists with SIGKILL after the timeout. True when asking was enough."""
    send_signal(process, number)
    send_signal(process, signal.SIGCONT)
    if wait_dead(process, timeout_s):
        return True
    send_signal(process, signal.SIGKILL)
    wait_dead(process, 10)
    return False


def runs_old_program(process: ProcessId) -> bool:
    """Its program was built anew since it started."""
    try:
        return os.readlink(f"/proc/{process.pid}/exe").endswith(" (deleted)")
    except OSError:
        return False


@contextmanager
def uninterrupted() -> Iterator[None]:
    """What would end this process does so afterwards: between the start of a child and the note of
    it, nobody would end the child."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled elsewhere
        return
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        if callable(handler):
            signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def spawn(
    command: list[str], log: Path, cwd: Path, environment: Mapping[str, str]
) -> ProcessId:
    """Starts a process in a session of its own, output appended to the log. environment: added to
    ours."""
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        log.rename(log.with_name(f"{log.name}.1"))
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={**os.environ, **environment},
            start_new_session=True,
        )
    identity = identify(child.pid)
    assert identity is not None, "an unreaped child is always in /proc"
    _children[identity] = child
    return identity


def final_exit_code(process: ProcessId) -> int | None:
    """exit_code of a child that is ending: its first thread may be gone before the others."""
    child = _children.get(process)
    return child.wait(longer(10)) if child is not None else None


def exit_code(process: ProcessId) -> int | None:
    """The exit code of a child of this process that has ended (negative: the signal). Reaps it."""
    child = _children.get(process)
    return child.poll() if child is not None else None
