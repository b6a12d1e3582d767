"""Where a figure was measured: nothing that names the machine or a person."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path
from typing import Any


def _first(pattern: str, file: str, otherwise: str) -> str:
    match = re.search(pattern, Path(file).read_text(), re.MULTILINE)
    return match[1].strip() if match else otherwise


def cores() -> int:
    return len(os.sched_getaffinity(0))


def describe() -> dict[str, Any]:
    return {
        "cpu": _first(r"^model name\s*:(.*)$", "/proc/cpuinfo", platform.machine()),
        "cores": cores(),
        "memory_bytes": int(_first(r"^MemTotal:\s*(\d+) kB$", "/proc/meminfo", "0")) * 1024,
        "kernel": platform.release(),
    }
