"""martlet-bench, or another program of its manners, as a process: commands in, phases out. See
bench/load.h."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from pathlib import Path
from typing import Any

from martlet_cluster import paths
from martlet_cluster.errors import ClusterError
from martlet_cluster.patience import longer


class Generator:
    def __init__(
        self, directory: Path, config: dict[str, Any], program: str = "bench/martlet-bench"
    ) -> None:
        file = directory / "generator.json"
        file.write_text(json.dumps(config))
        self._log = (directory / "generator.log").open("w")
        self.process = subprocess.Popen(
            [str(paths.built(program)), str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        return self.process.pid

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(json.loads(line))
        self._lines.put({"status": "failed", "why": "it ended"})

    def say(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def wait(self, status: str, timeout_s: float) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=longer(timeout_s))
        except queue.Empty:
            raise ClusterError(
                f"the generator is not {status} within {timeout_s:g} s, see {self._log.name}"
            ) from None
        if line["status"] != status:
            raise ClusterError(f"the generator is not {status}: {line.get('why', line)}")
        return line

    def close(self) -> None:
        if self.process.poll() is None:
            try:
                self.say("quit")
                self.process.wait(10)
            except (BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what was said to one who just died
                    stream.close()

    def __enter__(self) -> Generator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
