"""Clients that write through the published port all the time, and the account of what they wrote: the
population, the journals and the checker of ./dev chaos."""

from __future__ import annotations

from pathlib import Path

from chaos.checker import Account
from chaos.nemesis import now_ms
from chaos.population import Clients, Comings, Population, read_history
from chaos.report import Run
from chaos.run import examine, keep_rows
from compose.stack import Stack, StackError, wait_until

CLIENTS = 90
RATE = 150.0  # messages a second, of all together
STARTED_S = 120.0
FLOWING_S = 90.0
DRAIN_S = 180.0
FLOWING = 300  # so many are acknowledged, and shown, before a fault counts as overcome


class Load:
    """Writes from start() on until settle()."""

    def __init__(self, stack: Stack, directory: Path, seed: int) -> None:
        self._stack = stack
        self._directory = directory
        self._run = Run(seed, 1, CLIENTS, RATE, cluster=False)
        self._population = Population(directory, [stack.listen], CLIENTS)
        self._clients = Clients(self._population, directory, RATE, seed)
        self._comings = Comings(self._population, self._clients, seed)
        self._acts: list[tuple[str, int, int]] = []  # what, from, to

    def start(self) -> None:
        self._clients.start_all(self._stack)
        self._clients.send()
        self._comings.start()
        self.wait_flowing()

    def note(self, act: str, begin_ms: int) -> None:
        self._acts.append((act, begin_ms, now_ms()))

    def wait_flowing(self) -> None:
        """Messages go through again, from end to end."""
        before = self._clients.tick()

        def has_grown() -> bool:
            now = self._clients.tick()
            return all(now[key] - before[key] >= FLOWING for key in ("acked", "received"))

        if not wait_until(has_grown, FLOWING_S):
            raise StackError(f"no {FLOWING} messages went through within {FLOWING_S:g} s")

    def settle(self) -> None:
        """Nothing more is sent; all is answered and shown, and new devices have read everything."""
        self._comings.end()
        problem = self._clients.drain(DRAIN_S)
        self._clients.close()
        problem = problem or read_history(
            self._population, self._stack, self._directory / "fresh"
        )
        if problem:
            raise StackError(problem)

    def account(self) -> str:
        """What it found, as one line; raises if anything is wrong."""
        keep_rows(self._stack, self._directory)
        account, timeline = examine(self._run, self._directory)
        idle = [act for act, begin, end in self._acts if not timeline.sent_in(begin, end)]
        wrong = [f"{name}: {text}" for name, texts in account.findings.examples.items()
                 for text in texts[:5]]  # fmt: skip
        wrong += [f"nobody was sending during {act}" for act in idle]
        if wrong or not account.is_clean:
            raise StackError("\n".join([summary(account), *wrong]))
        if account.acked < FLOWING * (len(self._acts) or 1):
            raise StackError(f"too little to prove anything: {summary(account)}")
        return summary(account)

    def close(self) -> None:
        if self._comings.is_alive():
            self._comings.end()
        self._clients.close()


def summary(account: Account) -> str:
    columns = ", ".join(f"{name} {count}" for name, count in account.findings.columns().items())
    return (
        f"{account.acked} acknowledged, {account.delivered} of {account.expected_deliveries} shown, "
        f"{account.history_read} of {account.history_expected} read by new devices; {columns}"
    )
