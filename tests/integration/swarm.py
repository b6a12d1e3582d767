"""martlet-swarm as tests use it: start it, command it, wait for what it says, read its journals."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import account
from support import ROOT, longer  # also makes the next line possible

from martlet_cluster import Cluster, paths

PASSWORD = "swarm-password"  # the swarm's default
# argon2id of it at the least cost: hashing at the real one takes 2 cores
# a minute for the accounts and logins of one traffic test.
PASSWORD_HASH = (
    "$argon2id$v=19$m=64,t=1,p=1$81X2xY7yaUXySRtsjf1odQ$y3T6CAWEtDlei0MdX7Phygsqaquw/GdoS3M++QlvORg"
)


def add_accounts(cluster: Cluster, users: Sequence[str]) -> None:
    """Accounts that exist before the swarm starts, with register=False in its config."""
    rows = ",".join(f"('{user}', '{PASSWORD_HASH}', 0)" for user in users)
    cluster.psql(f"INSERT INTO accounts (user_id, password_hash, created_ms) VALUES {rows};")


def members(
    users: Sequence[str], edges: Sequence[str], devices: Sequence[str] = ("d1",)
) -> list[dict[str, str]]:
    """Each device of each user, spread over the edges; the other edges are where it goes next."""
    result = []
    for number, (user, device) in enumerate((u, d) for u in users for d in devices):
        turn = number % len(edges)
        servers = ",".join([*edges[turn:], *edges[:turn]])
        result.append({"user": user, "device": device, "servers": servers})
    return result


def ring(users: Sequence[str], reach: int = 1) -> list[list[str]]:
    """Each user with the next `reach` ones."""
    count = len(users)
    pairs = {
        tuple(sorted((users[i], users[(i + step) % count])))
        for i in range(count)
        for step in range(1, reach + 1)
    }
    return [list(pair) for pair in sorted(pairs)]


class Swarm:
    """A running martlet-swarm. config: see tests/support/swarm/config.h. build: of another version."""

    def __init__(self, directory: Path, *, build: Path | None = None, **config: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.journals = directory / "journals"
        self.journals.mkdir(exist_ok=True)
        file = directory / "swarm.json"
        file.write_text(json.dumps({"journals": str(self.journals), **config}))
        self._errors = (directory / "swarm.log").open("a")
        self.process = subprocess.Popen(
            [str(paths.built("tests/support/swarm/martlet-swarm", build)), str(file)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._lines: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self._lines.append(json.loads(line))
                self._changed.notify_all()
        with self._changed:
            self._lines.append({"status": "gone"})
            self._changed.notify_all()

    def say(self, command: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def wait(self, status: str, timeout: float = 60) -> dict[str, Any]:
        """The next line of this status; it is taken, with all before it."""
        deadline = time.monotonic() + longer(timeout)
        with self._changed:
            while True:
                for place, line in enumerate(self._lines):
                    if line["status"] == status:
                        del self._lines[: place + 1]
                        return line
                    if line["status"] in ("gone", "error"):
                        raise AssertionError(f"the swarm says {line} instead of {status}")
                if not self._changed.wait(deadline - time.monotonic()):
                    raise AssertionError(f"the swarm is not {status} within {timeout:g} s")

    def ask(self, command: str, status: str, timeout: float = 60) -> dict[str, Any]:
        self.say(command)
        return self.wait(status, timeout)

    def tick(self) -> dict[str, Any]:
        return self.ask("tick", "tick")

    def drain(self, timeout: float = 120) -> dict[str, Any]:
        return self.ask("drain", "drained", timeout)

    def close(self) -> None:
        if self.process.poll() is None:
            try:
                self.ask("quit", "bye", 10)
                self.process.wait(longer(10))
            except (AssertionError, BrokenPipeError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        self._reader.join()
        for stream in (self.process.stdin, self.process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):  # what was said to one who just died
                    stream.close()

    def __enter__(self) -> Swarm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def problems_of(swarm: Swarm, cluster: Cluster, **options: bool) -> list[str]:
    """The account after a drain."""
    return account.check(
        account.read_journals(swarm.journals),
        account.history_of(cluster.psql(account.ROWS)),
        **options,
    )
