"""When things happened, for the page and for the times without an acknowledgement."""

from __future__ import annotations

import statistics
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from chaos.journal import Journal
from chaos.nemesis import Fault

AFTERWARDS_MS = 2_000  # a fault may be felt for so long after it was healed
BEFORE_MS = 1_000  # messages that were on their way when the fault began


class Wait(NamedTuple):
    """Of one message, from its SEND to its acknowledgement."""

    sent_ms: int
    acked_ms: int
    process: str  # of clients


class Interval(NamedTuple):
    begin_ms: int
    end_ms: int


@dataclass
class Timeline:
    sent_per_s: Counter[int] = field(default_factory=Counter)
    acked_per_s: Counter[int] = field(default_factory=Counter)
    shown_per_s: Counter[int] = field(default_factory=Counter)
    sent_ms: list[int] = field(default_factory=list)
    acked_ms: list[int] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    online: list[tuple[int, str, str]] = field(default_factory=list)  # when, device, edge

    def add(self, journal: Journal, process: str) -> None:
        self.shown_per_s.update(journal.shown_at_s)
        for at_ms, edge in journal.online:
            self.online.append((at_ms, journal.name, edge))
        for sent in journal.sent.values():
            self.sent_ms.append(sent.at_ms)
            self.sent_per_s[sent.at_ms // 1000] += 1
        for message, acked in journal.acked.items():
            self.acked_ms.append(acked.at_ms)
            self.acked_per_s[acked.at_ms // 1000] += 1
            if not acked.after_absence:
                self.waits.append(Wait(journal.sent[message].at_ms, acked.at_ms, process))

    def sort(self) -> None:
        self.sent_ms.sort()
        self.acked_ms.sort()
        self.waits.sort()
        self.online.sort()

    # What a fault did.

    def sent_in(self, begin_ms: int, end_ms: int) -> int:
        return bisect_right(self.sent_ms, end_ms) - bisect_left(self.sent_ms, begin_ms)

    def longest_silence_ms(self, begin_ms: int, end_ms: int) -> int:
        """Between two acknowledgements of anything, the first after the begin."""
        first = max(bisect_left(self.acked_ms, begin_ms) - 1, 0)
        last = min(bisect_right(self.acked_ms, end_ms) + 1, len(self.acked_ms))
        times = self.acked_ms[first:last]
        return max((b - a for a, b in zip(times, times[1:], strict=False)), default=0)

    def longest_wait_ms(self, begin_ms: int, end_ms: int, without: list[Blackout]) -> int:
        """Of a message that was open in this time; not of clients who were hindered themselves."""
        first = bisect_left(self.waits, (begin_ms - BEFORE_MS,))
        longest = 0
        for wait in self.waits[first : bisect_right(self.waits, (end_ms,))]:
            took = wait.acked_ms - wait.sent_ms
            if took > longest and wait.acked_ms >= begin_ms:
                if not any(blackout.concerns(wait) for blackout in without):
                    longest = took
        return longest

    def percentiles(self) -> dict[int, tuple[int, int]]:
        """By second of sending: the median and the 99th percentile of the waits."""
        by_second: dict[int, list[int]] = {}
        for wait in self.waits:
            by_second.setdefault(wait.sent_ms // 1000, []).append(wait.acked_ms - wait.sent_ms)
        result = {}
        for second, waits in by_second.items():
            waits.sort()
            result[second] = (waits[len(waits) // 2], waits[(len(waits) - 1) * 99 // 100])
        return result

    def time_to_reconnect(self, fault: Fault) -> list[int]:
        """Of the clients of the edges that a fault killed: until each was online again."""
        last: dict[str, str] = {}
        back: dict[str, int] = {}
        for at_ms, device, edge in self.online:
            if at_ms < fault.begin_ms:
                last[device] = edge
            elif device not in back and last.get(device) in fault.victims:
                back[device] = at_ms - fault.begin_ms
        return sorted(back.values())


class Blackout(NamedTuple):
    """A process of clients could not work."""

    process: str
    begin_ms: int
    end_ms: int

    def concerns(self, wait: Wait) -> bool:
        return (
            wait.process == self.process
            and wait.sent_ms <= self.end_ms
            and wait.acked_ms >= self.begin_ms
        )


def blackouts(faults: list[Fault]) -> list[Blackout]:
    return [
        Blackout(victim, fault.begin_ms, fault.end_ms + AFTERWARDS_MS)
        for fault in faults
        for victim in fault.victims
        if victim.startswith("client-")
    ]


def is_alone(fault: Fault, faults: list[Fault]) -> bool:
    """No other fault was there at the same time, or felt."""
    return not any(
        other is not fault
        and other.begin_ms <= fault.end_ms
        and other.end_ms + AFTERWARDS_MS >= fault.begin_ms
        for other in faults
    )


def pauses(timeline: Timeline, faults: list[Fault]) -> dict[str, dict[str, Any]]:
    """By kind of fault: the longest time without any acknowledgement, and the longest that one message
    waited. Faults overlap; where there are some of the kind that did not, only those count."""
    hindered = blackouts(faults)
    by_kind: dict[str, list[Fault]] = {}
    for fault in faults:
        by_kind.setdefault(fault.name, []).append(fault)
    result = {}
    for name, same in sorted(by_kind.items()):
        alone = [fault for fault in same if is_alone(fault, faults)]
        silences, waits = [], []
        for fault in alone or same:
            end_ms = fault.end_ms + AFTERWARDS_MS
            silences.append(timeline.longest_silence_ms(fault.begin_ms, end_ms))
            waits.append(timeline.longest_wait_ms(fault.begin_ms, end_ms, hindered))
        result[name] = {
            "count": len(same),
            "alone": len(alone),
            "silence_median_ms": round(statistics.median(silences)),
            "silence_worst_ms": max(silences),
            "wait_median_ms": round(statistics.median(waits)),
            "wait_worst_ms": max(waits),
        }
    return result
