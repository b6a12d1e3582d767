"""What a job is, and what came of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Outcome:
    """Of one test program or file. Tests are named; a crash or timeout is a failed test too."""

    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def count(self) -> int:
        return len(self.passed) + len(self.failed) + len(self.skipped)


@dataclass
class Job:
    """run gets a directory of its own and writes its output to output.log there."""

    kind: str
    name: str
    run: Callable[[Path], Outcome]
    # Not beside other jobs: it measures or loads the machine.
    alone: bool = False

    @property
    def slug(self) -> str:
        return f"{self.kind}-{self.name}".replace("/", "-")
