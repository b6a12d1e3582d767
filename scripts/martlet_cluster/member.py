"""One process of a cluster. Subclasses say how it is configured, started and asked for its health."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from martlet_cluster import ports
from martlet_cluster.errors import ClusterError
from martlet_cluster.process import ProcessId, is_alive

Settings = dict[str, Any]


class Member:
    kind = ""
    port_names: tuple[str, ...] = ()
    stop_signal = signal.SIGTERM
    # What ends it at once but cleanly, for tests that are over.
    abort_signal = signal.SIGKILL
    start_timeout_s = 30.0
    # What differs from the program's own defaults, apart from where it is and what it is called.
    tuning: Mapping[str, Any] = {}
    # The same, of what is told by variables.
    environment: Mapping[str, str] = {}

    def __init__(self, name: str, cluster_directory: Path) -> None:
        self.name = name
        self.cluster_directory = cluster_directory
        self.directory = cluster_directory / name
        self.log = cluster_directory / "logs" / f"{name}.log"
        self.ports: dict[str, int] = {}
        self.secret = ""
        self.process: ProcessId | None = None
        self.settings: Settings = {}

    def prepare(self) -> None:
        """Writes directories and configuration; called before every start."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def before_stop(self) -> None:
        """Called before the process is ended by us, however hard."""

    def after_stop(self) -> None:
        """Called when the process has ended."""

    @property
    def stop_timeout_s(self) -> float:
        return 15.0

    @property
    def address(self) -> str:
        return f"{ports.HOST}:{self.port}" if self.ports else "-"

    @property
    def port(self) -> int:
        return self.ports[self.port_names[0]]

    @property
    def pid(self) -> int:
        if self.process is None:
            raise ClusterError(f"{self.name} was not started")
        return self.process.pid

    @property
    def alive(self) -> bool:
        return is_alive(self.process)

    def log_tail(self, lines: int = 20) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(0, 2)
                log.seek(max(0, log.tell() - 20000))
                text = log.read().decode(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "address": self.address,
            "ports": self.ports,
            "secret": self.secret,
            "process": self.process.to_json() if self.process else None,
        }

    def restore(self, value: dict[str, Any]) -> None:
        self.ports = {name: int(port) for name, port in value["ports"].items()}
        self.secret = value["secret"]
        process = value["process"]
        self.process = ProcessId.from_json(process) if process else None


def write_private(path: Path, text: str) -> None:
    """Configuration holds passwords: nobody else reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text)
