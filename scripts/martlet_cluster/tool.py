"""The command line client as a process: one Tool is one device with its home directory."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from martlet_cluster import paths
from martlet_cluster.patience import longer

# Gets each line as it is printed.
Echo = Callable[[str], None]


@dataclass(frozen=True)
class Finished:
    code: int
    lines: list[str]
    errors: str


class Tool:
    def __init__(
        self,
        servers: Sequence[str],
        home: Path,
        options: Sequence[str] = (),
        build: Path | None = None,
    ) -> None:
        """servers: addresses of edges, in the order in which they are tried; options: for every
        command, e.g. --json; build: where its program comes from, if it is of another version."""
        self._build = build
        self.servers = list(servers)
        self.home = home
        self.options = list(options)

    def command(self, *words: str) -> list[str]:
        program = str(paths.built("src/tools/martlet", self._build))
        where = ["--server", ",".join(self.servers), "--home", str(self.home)]
        return [program, *where, *self.options, *words]

    def run(self, *words: str, text: str = "", timeout_s: float = 60) -> Finished:
        """Runs a command that ends by itself; text is its standard input."""
        done = subprocess.run(
            self.command(*words),
            input=text,
            capture_output=True,
            text=True,
            timeout=longer(timeout_s),
            check=False,
        )
        return Finished(done.returncode, done.stdout.splitlines(), done.stderr)

    def start(self, *words: str, echo: Echo | None = None) -> RunningTool:
        """Starts a command that runs until it is told to end, or has what it waits for."""
        return RunningTool(self.command(*words), echo)


class RunningTool:
    """Standard output is read by a thread, so that the process never waits for its reader."""

    def __init__(self, command: list[str], echo: Echo | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._echo = echo
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._changed = threading.Condition()
        self._open = 2
        for stream, lines in (
            (self.process.stdout, self._lines),
            (self.process.stderr, self._errors),
        ):
            assert stream is not None
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()

    @property
    def lines(self) -> list[str]:
        """What it has printed so far."""
        with self._changed:
            return list(self._lines)

    @property
    def errors(self) -> str:
        with self._changed:
            return "\n".join(self._errors)

    def write(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait_for(self, pattern: str, timeout_s: float = 30) -> re.Match[str]:
        """The first line printed so far, or yet to come, in which the pattern is found."""
        deadline = time.monotonic() + longer(timeout_s)
        expression, seen = re.compile(pattern), 0
        with self._changed:
            while True:
                for line in self._lines[seen:]:
                    if match := expression.search(line):
                        return match
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if not self._open or left <= 0:
                    why = "it ended" if not self._open else f"not within {timeout_s:g} s"
                    said = "\n".join(self._lines[-20:] + self._errors[-20:])
                    raise AssertionError(f"no line with {pattern!r}: {why}; it said:\n{said}")
                self._changed.wait(left)

    def wait(self, timeout_s: float = 60) -> int:
        """Until it has ended and all that it printed is here; the exit code."""
        code = self.process.wait(longer(timeout_s))
        with self._changed:
            self._changed.wait_for(lambda: not self._open, longer(10))
        return code

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tells it to end, which it does with exit code 0."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.wait(15)

    def kill(self) -> None:
        self.process.kill()
        self.wait(15)

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
            if self._echo is not None:
                self._echo(line.rstrip("\n"))
        with self._changed:
            self._open -= 1
            self._changed.notify_all()

    def __enter__(self) -> RunningTool:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
