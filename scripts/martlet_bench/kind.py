"""What every kind of measurement is: how main.py sees the modules that workloads.py names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from martlet_bench.case import Case

Result = dict[str, Any]


class Kind(Protocol):
    """A kind that needs more of the disk than surroundings.py thinks says how much, in bytes:
    disk_bytes(options)."""

    # Of several runs a figure is the median (of a table of figures, each of them) and a count is the sum.
    FIGURES: Sequence[str]
    COUNTS: Sequence[str]

    def cases(self, workload: str, options: argparse.Namespace) -> list[Case]:
        """All there are; --only leaves some of them."""

    def run(self, directory: Path, options: argparse.Namespace, case: Case) -> Result:
        """One run in this empty directory. The result begins with the case's keys."""

    def lines(self, result: Result) -> list[str]:
        """Of the medians, for people."""

    def is_clean(self, result: Result) -> bool:
        """Nothing was lost, and nothing came twice or in the wrong order."""
