"""Whether the machine is quiet: the same work before every run, and how long it took."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from martlet_cluster import paths

# A third of a second on a core of 2.6 GHz that has nothing else to do.
ROUNDS = 10_000
HASHES = 100
# Noise only ever adds time. Other programs show in the time that the work waits for its core;
# neighbours of a virtual machine only against the least that this machine ever took.
QUIET_UP_TO = 1.15
FIGURES = ("calibration_ms", "calibration_best_ms")
SEEN = paths.CACHE / "calibration.json"


def work(core: int) -> tuple[float, float]:
    """A fixed amount of arithmetic and system calls; both let other threads of ours run.
    Milliseconds, and those of CPU among them."""
    os.sched_setaffinity(0, {core})  # of this thread
    reading, writing = os.pipe()
    begin, spent = time.perf_counter(), time.thread_time()
    for _ in range(ROUNDS):
        os.write(writing, hashlib.pbkdf2_hmac("sha256", b"calibration", b"", HASHES))
        os.read(reading, 32)
    took = time.perf_counter() - begin, time.thread_time() - spent
    os.close(reading)
    os.close(writing)
    return 1e3 * took[0], 1e3 * took[1]


def calibrate() -> dict[str, Any]:
    """What a result says of the moment before its run: all cores at once, the slowest counts."""
    cores = sorted(os.sched_getaffinity(0))
    with ThreadPoolExecutor(len(cores)) as pool:
        slowest, cpu = max(pool.map(work, cores))
    best = least_so_far(SEEN, slowest)
    return {
        "calibration_ms": round(slowest, 1),
        "calibration_best_ms": round(best, 1),
        "quiet": slowest <= QUIET_UP_TO * min(best, cpu),
    }


def least_so_far(file: Path, now: float) -> float:
    """Remembered from one invocation to the next; forgotten when the machine, or what does the work,
    is another one."""
    where = [platform.release(), platform.python_version(), len(os.sched_getaffinity(0)), ROUNDS]
    try:
        seen = json.loads(file.read_text())
        best = float(seen["best_ms"]) if seen["where"] == where else now
    except (OSError, ValueError, KeyError, TypeError):
        best = now
    best = min(best, now)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"where": where, "best_ms": best}))
    return best


def row(result: dict[str, Any]) -> str:
    ms, best = result["calibration_ms"], result["calibration_best_ms"]
    word = "quiet" if result["quiet"] else "noisy, so that only shares and ratios count"
    return f"  the machine before it: {word} (calibration {ms:g} ms, at best {best:g} ms)"
