"""Clients that come in waves, chat and go: martlet-swarm, one process a wave."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import account
import swarm
from martlet_bench import world
from martlet_cluster import Cluster

WAVE_S = 3.0  # between two waves
REACH = 3
PATIENCE_S = 120.0


@dataclass(frozen=True)
class Plan:
    low: int
    high: int
    rate: float  # of all together at the top
    hold_s: float

    def waves(self) -> Iterator[int]:
        """Sizes: the first stays to the end; the others are as large, but for the last one."""
        left = self.high
        while left > 0:
            yield min(self.low, left)
            left -= self.low


class Crowd:
    """Everybody asks the api for an edge. Nobody writes to another wave, so that each may end by itself."""

    def __init__(self, cluster: Cluster, directory: Path, plan: Plan) -> None:
        self._cluster = cluster
        self._directory = directory
        self._plan = plan
        self._waves: list[swarm.Swarm] = []
        self._here: list[tuple[swarm.Swarm, int]] = []
        self._names = world.names("u", plan.high)
        self.clients = 0

    def __enter__(self) -> Crowd:
        swarm.add_accounts(self._cluster, self._names)
        return self

    def __exit__(self, *_: object) -> None:
        for wave in self._waves:
            wave.close()

    def play(self) -> None:
        for size in self._plan.waves():
            self._come(size)
            time.sleep(self._plan.hold_s / 3 if self.clients == self._plan.low else WAVE_S)
        time.sleep(self._plan.hold_s)
        while len(self._here) > 1:
            self._go()
            time.sleep(WAVE_S)
        time.sleep(self._plan.hold_s)

    def _come(self, size: int) -> None:
        users = self._names[self.clients : self.clients + size]
        wave = swarm.Swarm(
            self._directory / f"wave{len(self._waves)}",
            members=swarm.members(users, [edge.listen for edge in self._cluster.edges]),
            pairs=swarm.ring(users, REACH),
            api=f"http://{self._cluster.apis[0].http}",
            register=False,
            rate=self._plan.rate * size / self._plan.high,
        )
        self._waves.append(wave)
        self._here.append((wave, size))
        wave.wait("ready", PATIENCE_S)
        wave.ask("start", "sending")
        self.clients += size

    def _go(self) -> None:
        """The wave that came last of those that are here."""
        wave, size = self._here.pop()
        wave.drain(PATIENCE_S)
        wave.close()
        self.clients -= size

    def settle(self) -> list[str]:
        """What is wrong, when all has been said."""
        self._waves[0].drain(PATIENCE_S)
        return account.check(
            [journal for wave in self._waves for journal in account.read_journals(wave.journals)],
            account.history_of(self._cluster.psql(account.ROWS)),
        )

    def journals(self) -> list[Path]:
        return [file for wave in self._waves for file in sorted(wave.journals.glob("*.jsonl"))]
