"""The stored messages that ./dev bench history reads: made once, in a cluster whose directory stays
below .local/bench-data."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import swarm
from martlet_bench import world
from martlet_cluster import Cluster, paths, psql
from martlet_cluster.errors import ClusterError
from martlet_cluster.process import wait_until
from martlet_cluster.state import locked
from raw_client import Device
from wire_client import ACK, new_message_id

PEERS = 500
TEXT = "x" * 200
# A reader for so many messages, at least one.
ROWS_PER_READER = 500_000
# Row, its two index entries and what sorting them takes; the servers besides.
BYTES_PER_ROW = 700
SERVERS_BYTES = 1_500_000_000
SQL_TIMEOUT_S = 900.0
ROWS_AT_ONCE = 250_000
PATIENCE_S = 120.0

# The first message of each conversation went through the product. The others are copies of it with
# their own ids and times, the senders by turns, in the order in which they would have come: one in
# each conversation, then the next.
FILL = """
SET synchronous_commit = off;
INSERT INTO messages (conversation_id, seq, message_id, time_ms, position, content_hash,
                      client_msg_id, generation, sender, content)
SELECT h.conversation_id, s, h.message_id + ((s - 1) << 22), h.time_ms + s - 1, h.position,
       h.content_hash,
       (lpad(to_hex(h.time_ms + s - 1), 12, '0') || '7' || substr(noise, 1, 3) || '8' ||
        substr(noise, 4, 15))::uuid,
       h.generation, CASE WHEN s % 2 = 1 THEN h.sender ELSE h.peer END, h.content
FROM generate_series({first}, {last}) s CROSS JOIN heads h
CROSS JOIN LATERAL (SELECT md5(random()::text || s || h.conversation_id) AS noise) n
ORDER BY s, h.conversation_id;
"""
HEADS = """
CREATE UNLOGGED TABLE heads AS
SELECT m.*, CASE WHEN m.sender = split_part(c.name, ':', 2) THEN split_part(c.name, ':', 3)
                 ELSE split_part(c.name, ':', 2) END AS peer
FROM messages m JOIN conversations c ON c.id = m.conversation_id;
"""
# sent_first, sent_second: the last odd seq is that of who wrote first.
FINISH = """
UPDATE conversations c SET last_seq = {each},
  sent_first = CASE WHEN split_part(c.name, ':', 2) = h.sender THEN {odd} ELSE {even} END,
  sent_second = CASE WHEN split_part(c.name, ':', 2) = h.sender THEN {even} ELSE {odd} END
FROM heads h WHERE h.conversation_id = c.id;
DROP TABLE heads;
"""
# What drops each index of messages, and what makes it again.
INDEXES = """
SELECT coalesce('ALTER TABLE messages DROP CONSTRAINT ' || c.conname,
                'DROP INDEX ' || i.indexrelid::regclass::text) || ';',
       coalesce('ALTER TABLE messages ADD CONSTRAINT ' || c.conname || ' ' ||
                pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid)) || ';'
FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid
WHERE i.indrelid = 'messages'::regclass;
"""


@dataclass(frozen=True)
class Shape:
    """Every reader has PEERS conversations with so many messages in each."""

    readers: list[str]
    peers: list[str]
    each: int

    @staticmethod
    def of(rows: int) -> Shape:
        count = max(1, rows // ROWS_PER_READER)
        return Shape(
            [f"reader{number:03}" for number in range(count)],
            world.names("u", PEERS),
            max(2, rows // (count * PEERS)),
        )

    @property
    def rows(self) -> int:
        return len(self.readers) * len(self.peers) * self.each


def place_of(rows: int) -> Path:
    return paths.LOCAL / f"bench-data/history-{rows}"


def is_made(rows: int) -> bool:
    return (place_of(rows) / "made.json").exists()


@contextmanager
def opened(options: argparse.Namespace) -> Iterator[Cluster]:
    """The cluster with the messages in it, started; made before, if it is not there. It is stopped
    gently, since it will be started again."""
    place = place_of(options.rows)
    place.mkdir(parents=True, exist_ok=True)
    for directory in (place, place.parent):
        directory.chmod(0o755)  # PostgreSQL has a user of its own
    with locked(place):
        cluster = world.make_cluster(place / "cluster", options, world.SETTINGS)
        if not is_made(options.rows):
            cluster.wipe()
            try:
                make(cluster, Shape.of(options.rows), place)
            except BaseException:
                cluster.wipe()
                raise
        try:
            cluster.start()
            world.wait_served(cluster, PATIENCE_S)
            yield cluster
        finally:
            cluster.stop()


def make(cluster: Cluster, shape: Shape, place: Path) -> None:
    begin = time.monotonic()
    cluster.start()
    world.wait_served(cluster, PATIENCE_S)
    swarm.add_accounts(cluster, shape.readers)
    world.add_accounts(cluster, shape.peers)
    for number, reader in enumerate(shape.readers):
        write_first(cluster.edges[number % len(cluster.edges)].listen, reader, shape)
    conversations = len(shape.readers) * len(shape.peers)
    if not wait_until(lambda: world.stored_messages(cluster) == conversations, PATIENCE_S):
        raise ClusterError("the first message of each conversation is not stored")
    for service in cluster.services:
        cluster.stop_member(service.name)
    fill(cluster, shape)
    cluster.stop()
    seconds = round(time.monotonic() - begin)
    used = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
    (place / "made.json").write_text(json.dumps({"seconds": seconds, "bytes": used}) + "\n")
    what = f"{shape.rows:,} messages made in {seconds} s, {used / 1e9:.1f} GB"
    print(f"bench: {what}, kept in {paths.shown(place)}", flush=True)


def write_first(address: str, reader: str, shape: Shape) -> None:
    device = Device(address, reader, "opener", swarm.PASSWORD)
    asked = [device.ask_send(peer, TEXT, new_message_id()) for peer in shape.peers]
    answers = [device.answer(number) for number in asked]
    device.close()
    if any(answer.command != ACK for answer in answers):
        raise ClusterError(f"{reader} could not write to everybody")


def fill(cluster: Cluster, shape: Shape) -> None:
    """Without the indexes, which are made afterwards as they were."""

    def sql(text: str) -> list[list[str]]:
        return psql.query(cluster.postgres.url, text, SQL_TIMEOUT_S)

    indexes = sql(INDEXES)
    drops, makes = zip(*indexes, strict=True)
    sql(HEADS + "".join(drops))
    step = max(1, ROWS_AT_ONCE // (len(shape.readers) * len(shape.peers)))
    for first in range(2, shape.each + 1, step):
        sql(FILL.format(first=first, last=min(first + step - 1, shape.each)))
    sql("SET maintenance_work_mem = '512MB';" + "".join(makes))
    if sorted(sql(INDEXES)) != sorted(indexes):
        raise ClusterError("the indexes of messages are not what they were")
    odd, even = (shape.each + 1) // 2 * 2 - 1, shape.each // 2 * 2
    sql(FINISH.format(each=shape.each, odd=odd, even=even))
    sql("VACUUM ANALYZE;")
    sql("CHECKPOINT;")
