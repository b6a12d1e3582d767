"""What the nemesis does and to whom, from the seed alone: cards of two shuffled decks, by turns one
that kills and one that does not, so that a run of some minutes has all of them and half are kills."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

KILL, PAUSE, TERM, ROLL, CUT, SLOW, DELAY = "kill pause term roll cut slow delay".split()
FAULTS = (KILL, PAUSE, TERM, ROLL, CUT, SLOW, DELAY)
LINK_FAULTS = (CUT, SLOW, DELAY)
VICTIMS = ("edge", "dispatcher", "persist", "api", "nats", "postgres", "redis", "client")

LEAST_GAP_S, MOST_GAP_S = 2.0, 8.0  # between the beginnings of two faults; 5 s in the mean
MOST_PAUSE_S = 15.0
MOST_DOWN_S = 3.0
LINK_S = (1.0, 8.0)
SLOW_BYTES_PER_S = (10_000.0, 50_000.0)
DELAY_S = (0.05, 0.5)


class Card(NamedTuple):
    fault: str
    kinds: tuple[str, ...]  # of victims; of a faulty link: its name


class Act(NamedTuple):
    """A card and how hard it is played."""

    card: Card
    seconds: float  # paused, down or faulty
    strength: float  # of a slow or late link


def _cards(fault: str, *victims: str) -> list[Card]:
    """A pair is written with a plus."""
    return [Card(fault, tuple(text.split("+"))) for text in victims]


KILLS = _cards(
    KILL,
    *["edge", "edge", "dispatcher", "dispatcher", "dispatcher", "persist", "persist"],
    *["nats", "nats", "postgres", "redis", "api", "client", "client"],
    *["edge+dispatcher", "dispatcher+persist", "nats+dispatcher", "postgres+dispatcher"],
    *["edge+client", "nats+postgres", "persist+redis", "dispatcher+dispatcher"],
)


def other_cards(links: Sequence[str]) -> list[Card]:
    pauses = ["edge", "dispatcher", "dispatcher", "persist", "nats", "postgres", "redis", "client"]
    pauses += ["api", "edge+persist"]
    ends = ["edge", "dispatcher", "persist+api", "nats", "postgres", "redis", "client"]
    turns = [
        Card(LINK_FAULTS[(number + step) % len(LINK_FAULTS)], (link,))
        for number, link in enumerate(links)
        for step in (0, 1)
    ]
    return _cards(PAUSE, *pauses) + _cards(TERM, *ends) + turns + _cards(ROLL, "all")


class Deck:
    """Endless. Which card comes next also depends on what can be played just then."""

    def __init__(self, seed: int, links: Sequence[str]) -> None:
        self._chance = random.Random(f"{seed} nemesis")
        self._full = (list(KILLS), other_cards(links))
        self._left: tuple[list[Card], list[Card]] = ([], [])
        self._turns: list[int] = []

    def gap_s(self) -> float:
        return self._chance.uniform(LEAST_GAP_S, MOST_GAP_S)

    def draw(self, can_play: Callable[[Card], bool]) -> Act | None:
        """None: nothing that is left of the deck whose turn it is can be played now."""
        if not self._turns:
            self._turns = self._chance.sample([0, 1], 2)
        turn = self._turns[-1]
        left = self._left[turn]
        if not left:
            left += self._chance.sample(self._full[turn], len(self._full[turn]))
        for card in left:
            if can_play(card):
                left.remove(card)
                self._turns.pop()
                return self._act(card)
        return None

    def _act(self, card: Card) -> Act:
        if card.fault == PAUSE:
            return Act(card, self._chance.uniform(1, MOST_PAUSE_S), 0)
        if card.fault in LINK_FAULTS:
            low, high = SLOW_BYTES_PER_S if card.fault == SLOW else DELAY_S
            return Act(card, self._chance.uniform(*LINK_S), self._chance.uniform(low, high))
        return Act(card, self._chance.choice((0, self._chance.uniform(0, MOST_DOWN_S))), 0)
