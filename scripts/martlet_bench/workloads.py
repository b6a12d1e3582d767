"""What ./dev bench measures: workloads, and the cases of each. See docs/benchmarks.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

ACKS = ("logged", "stored")
IN_FLIGHT = (64, 512, 4096)
RATES = (500.0, 1000.0, 2000.0, 5000.0, 10000.0)

# Who writes to whom; names as in bench/workload.cc. The warm ones write to conversations that exist:
# so many for each user, which the warm-up opens.
WORKLOADS = {"one-to-one": 0, "one-to-one-warm": 5, "pairs": 0}


@dataclass(frozen=True)
class Case:
    """Closed loop or open loop: of in_flight and rate one is None."""

    workload: str
    ack: str = "logged"
    in_flight: int | None = None
    rate: float | None = None

    @property
    def name(self) -> str:
        pace = f"{self.rate:g} messages/s" if self.rate else f"{self.in_flight} in flight"
        return f"{self.workload}, ack {self.ack}, {pace}"

    def warm_up_s(self, least: float, users: int) -> float:
        """Long enough for every conversation that the workload has at once."""
        to_open = 2 * WORKLOADS[self.workload] * users
        return max(least, 1.2 * to_open / self.rate) if self.rate else least

    def fits(self, wanted: Iterable[tuple[str, str]]) -> bool:
        """Of several values of one key any will do."""
        mine = {
            "ack": self.ack,
            "in_flight": str(self.in_flight),
            "rate": f"{self.rate:g}" if self.rate else "None",
        }
        by_key: dict[str, set[str]] = {}
        for key, value in wanted:
            by_key.setdefault(key, set()).add(value)
        return all(mine[key] in values for key, values in by_key.items())


KEYS = ("ack", "in_flight", "rate")


# Not a load on the product: what the broker allows for the same messages (bench/floor/).
FLOOR = "floor"


def cases(workload: str) -> list[Case]:
    if workload == FLOOR:
        return [Case(FLOOR, in_flight=number) for number in IN_FLIGHT]
    return [
        *(Case(workload, ack, in_flight=number) for ack in ACKS for number in IN_FLIGHT),
        *(Case(workload, ack, rate=rate) for ack in ACKS for rate in RATES),
    ]


def parse_only(text: str) -> list[tuple[str, str]]:
    """KEY=VALUE,KEY=VALUE …; raises ValueError."""
    wanted = []
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key or not value:
            raise ValueError(f"{part!r} is not KEY=VALUE")
        wanted.append((key, value))
    return wanted
