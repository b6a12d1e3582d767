"""Plays the cards: a fault every five seconds on average, several at a time when one takes longer,
each victim with one fault at a time."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from chaos import deck
from chaos.deck import Act, Card, Deck
from chaos.links import Links
from chaos.victims import Victims
from martlet_cluster.errors import ClusterError

MOST_AT_ONCE = 3
SHORT_WAIT_S = 0.1
END_S = 120.0  # for what is under way to be over


def now_ms() -> int:
    """The clock of the journals."""
    return time.monotonic_ns() // 1_000_000


@dataclass
class Fault:
    """One that was done. Times by the clock of the journals."""

    fault: str
    victims: list[str]
    kinds: list[str]
    begin_ms: int
    end_ms: int = 0  # healed, and healthy again
    details: str = ""

    @property
    def name(self) -> str:
        return f"{self.fault} {'+'.join(sorted(self.kinds))}"

    def to_json(self) -> dict[str, Any]:
        return dict(vars(self))


@dataclass
class Nemesis:
    victims: Victims
    links: Links
    seed: int
    say: Callable[[str], None]
    faults: list[Fault] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._deck = Deck(self.seed, self.links.names)
        self._chance = random.Random(f"{self.seed} victims")
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._running: set[threading.Thread] = set()

    def run(self, seconds: float) -> None:
        """Returns when all is healed."""
        end = time.monotonic() + seconds
        while True:
            time.sleep(max(0.0, min(self._deck.gap_s(), end - time.monotonic())))
            if not self._play_next(end):
                break
        for thread in list(self._running):
            thread.join(END_S)
            if thread.is_alive():
                self.problems.append(f"{thread.name} is not over")

    def _play_next(self, end: float) -> bool:
        """Waits until a card can be played; False when the time is over before that."""
        while time.monotonic() < end:
            self._look_for_deaths()
            if self._draw() is not None:
                return True
            time.sleep(SHORT_WAIT_S)
        return False

    def _draw(self) -> Act | None:
        with self._lock:
            self._running = {thread for thread in self._running if thread.is_alive()}
            if len(self._running) >= MOST_AT_ONCE:
                return None
            act = self._deck.draw(self._can_play)
            if act is None:
                return None
            names = self._choose(act.card)
            self._busy.update(names)
        thread = threading.Thread(
            target=self._play, args=(act, names), name=f"{act.card.fault} {names}", daemon=True
        )
        self._running.add(thread)
        self.say(f"{act.card.fault} {', '.join(names)} ({act.seconds:.1f} s)")
        thread.start()
        return act

    def _can_play(self, card: Card) -> bool:
        if card.fault == deck.ROLL or card.fault in deck.LINK_FAULTS:
            return card.kinds[0] not in self._busy
        return all(
            len(self._free(kind)) >= count for kind, count in Counter(card.kinds).items()
        )

    def _free(self, kind: str) -> list[str]:
        return [name for name in self.victims.of_kind(kind) if name not in self._busy]

    def _choose(self, card: Card) -> list[str]:
        if card.fault == deck.ROLL or card.fault in deck.LINK_FAULTS:
            return list(card.kinds)
        names: list[str] = []
        for kind in card.kinds:
            names.append(self._chance.choice([n for n in self._free(kind) if n not in names]))
        return names

    def _play(self, act: Act, names: list[str]) -> None:
        details = f"{act.seconds:.1f} s"
        if act.card.fault == deck.SLOW:
            details += f", {act.strength:.0f} B/s"
        elif act.card.fault == deck.DELAY:
            details += f", {act.strength * 1000:.0f} ms"
        fault = Fault(act.card.fault, names, list(act.card.kinds), now_ms(), details=details)
        with self._lock:
            self.faults.append(fault)
        try:
            getattr(self, f"_{act.card.fault}")(act, names)
        except (ClusterError, OSError) as error:
            self.problems.append(f"{fault.name} {names}: {error}")
        finally:
            fault.end_ms = now_ms()
            with self._lock:
                self._busy.difference_update(names)

    # The faults by their names.

    def _kill(self, act: Act, names: list[str]) -> None:
        for name in names:
            self.victims.kill(name)
            self.kills[self.victims.kind_of(name)] += 1
        time.sleep(act.seconds)
        self._start(names)

    def _term(self, act: Act, names: list[str]) -> None:
        self._together(self.victims.stop, names)
        time.sleep(act.seconds)
        self._start(names)

    def _pause(self, act: Act, names: list[str]) -> None:
        try:
            for name in names:
                self.victims.pause(name)
            time.sleep(act.seconds)
        finally:
            for name in names:
                self.victims.resume(name)

    def _roll(self, act: Act, names: list[str]) -> None:
        """Everything, one after the other, as an upgrade would."""
        for name in self.victims.members:
            while not self._take(name):
                time.sleep(SHORT_WAIT_S)
            try:
                self.victims.stop(name)
                self.victims.start(name)
            finally:
                with self._lock:
                    self._busy.discard(name)

    def _take(self, name: str) -> bool:
        with self._lock:
            if name in self._busy:
                return False
            self._busy.add(name)
            return True

    def _cut(self, act: Act, names: list[str]) -> None:
        self.links[names[0]].cut()
        self._heal_after(act, names)

    def _slow(self, act: Act, names: list[str]) -> None:
        self.links[names[0]].slow(act.strength)
        self._heal_after(act, names)

    def _delay(self, act: Act, names: list[str]) -> None:
        self.links[names[0]].delay(act.strength)
        self._heal_after(act, names)

    def _heal_after(self, act: Act, names: list[str]) -> None:
        time.sleep(act.seconds)
        self.links[names[0]].heal()

    def _start(self, names: list[str]) -> None:
        self._together(self.victims.start, names)

    def _together(self, what: Callable[[str], None], names: list[str]) -> None:
        """One may need the other to become healthy."""
        with ThreadPoolExecutor(len(names)) as pool:
            for done in [pool.submit(what, name) for name in names]:
                done.result()

    def _look_for_deaths(self) -> None:
        """Who is dead though nobody killed it."""
        with self._lock:
            dead = [
                name
                for name in self.victims.members
                if name not in self._busy and not self.victims.is_alive(name)
            ]
            self._busy.update(dead)
        for name in dead:
            self.problems.append(f"{name} died by itself at {now_ms()}")
            self.victims.start(name)
            with self._lock:
                self._busy.discard(name)
