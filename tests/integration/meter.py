"""What one act of a client costs: counts what passes the broker and which rows it leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from support import wait_until  # also makes the next line possible

from martlet_cluster import Cluster
from martlet_cluster.nats_probe import NatsMessage, NatsProbe

# Come whether anything happens or not, or by chance.
PERIODIC = ("im.wm", "im.hb", "im.own", "im.status", "im.rpc.moves", "im.trace")
TABLES = """
SELECT string_agg(format('SELECT %L, count(*) FROM %I WHERE xmin::text::bigint >= $', relname,
relname), ' UNION ALL ') FROM pg_stat_user_tables;
"""


@dataclass(frozen=True)
class Cost:
    """Messages on the broker by kind of subject, without answers to requests; their bytes; rows
    inserted or updated by table."""

    messages: dict[str, int]
    bytes: int
    rows: dict[str, int]


class Meter:
    """Counts between two moments at which nothing else happens in the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._probe = NatsProbe(cluster.nats)
        self._all = self._probe.subscribe("im.>")
        self._count_rows = cluster.psql(TABLES)[0][0]

    def close(self) -> None:
        self._probe.close()

    def seen(self) -> list[NatsMessage]:
        """What is not periodic, so far."""
        self._probe.flush()
        messages = self._probe.collect(self._all, 0)
        return [m for m in messages if not m.subject.startswith(PERIODIC)]

    def measure(self, act: Callable[[], None], is_stored: Callable[[dict[str, int]], bool]) -> Cost:
        """The act ends when all have seen it; is_stored says whether these rows are all of it."""
        first = int(self._cluster.psql("SELECT pg_snapshot_xmax(pg_current_snapshot());")[0][0])
        before = len(self.seen())
        act()
        wait_until(lambda: is_stored(self._rows(first)), what="the rows of the act")
        new = self.seen()[before:]
        return Cost(
            messages=dict(Counter(kind_of(m.subject) for m in new)),
            bytes=sum(len(m.data) for m in new),
            rows=self._rows(first),
        )

    def _rows(self, first: int) -> dict[str, int]:
        counts = self._cluster.psql(self._count_rows.replace("$", str(first)) + ";")
        return {table: int(count) for table, count in counts if count != "0"}


def kind_of(subject: str) -> str:
    """im.g of im.g.<group>, im.rpc.cold as it is."""
    words = subject.split(".")
    return ".".join(words[:3] if words[1] == "rpc" else words[:2])
