"""Groups in a swarm: members who come and go at random while others write, and the account of it
beside what the database says of the memberships."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence

import account
import swarm
from support import wait_until

from martlet_cluster import Cluster
from martlet_cluster.nats_probe import NatsProbe

SPANS = """
SELECT c.name, m.user_id, m.from_seq, m.to_seq
FROM memberships m JOIN conversations c ON c.id = m.conversation_id
ORDER BY c.name, m.user_id, m.joined_seq;
"""


def spans_in(cluster: Cluster) -> account.Spans:
    """Who may see what, as the database has it."""
    spans: account.Spans = {}
    for group, user, first, last in cluster.psql(SPANS):
        spans.setdefault((group, user), []).append((int(first), int(last) if last else None))
    return spans


def owner_of(cluster: Cluster, group: str) -> str:
    """The dispatcher that has the group's shard; wait for one that lives."""
    owners: list[str] = []

    def is_owned() -> bool:
        """While it moves from one to another it has none, and none is known before it is stored."""
        owners.append(owner_by_record(cluster, group))
        return owners[-1] != ""

    wait_until(is_owned, what=f"an owner of {group}'s shard")
    return owners[-1]


def owner_by_record(cluster: Cluster, group: str) -> str:
    rows = cluster.psql(f"SELECT shard FROM conversations WHERE name = 'g:{group}';")
    if not rows:
        return ""
    subject = f"$KV.im_leases.dispatch.shard.{rows[0][0]}"
    with NatsProbe(cluster.nats) as probe:
        question = json.dumps({"last_by_subj": subject}).encode()
        answer = json.loads(probe.request("$JS.API.STREAM.MSG.GET.KV_im_leases", question).data)
    record = json.loads(base64.b64decode(answer["message"]["data"]))
    return str(record["owner"]).rsplit("-", 1)[0]


class Comings:
    """Those who come to a group and go: by themselves, or brought and put out by its owner. Nobody
    looks whether it makes sense just then; what does not is refused."""

    def __init__(
        self, members: swarm.Swarm, group: str, owner: str, goers: Sequence[str], seed: object
    ) -> None:
        self._members = members
        self._group = group
        self._owner = owner
        self._goers = goers
        self._chance = random.Random(str(seed))

    def act(self) -> None:
        """One change, whose answer is not awaited, and a message of one who may be in or not."""
        action = self._chance.choice(["join", "leave", "invite", "remove"])
        count = 1 if action in ("join", "leave") else self._chance.randint(1, 3)
        users = self._chance.sample(self._goers, count)
        if action in ("join", "leave"):
            self._members.say(f"group {users[0]} d1 {action} {self._group}")
        else:
            self._members.say(f"group {self._owner} d1 {action} {self._group} {' '.join(users)}")
        self._members.say(f"send {self._chance.choice(self._goers)} d1 g:{self._group} is it me?")

    def act_until_sent(self, count: int) -> None:
        """A change now and then until so many more messages were sent."""
        wanted = self._members.tick()["sent"] + count
        while True:
            before = self._members.tick()
            if before["sent"] >= wanted:
                return
            self.act()
            wait_until(lambda: self._members.tick()["acked"] >= before["acked"] + 2)


def check(members: swarm.Swarm, cluster: Cluster) -> list[str]:
    """What is wrong in the account and in the memberships, after a drain."""
    journals = account.read_journals(members.journals)
    problems = account.check(journals, account.history_of(cluster.psql(account.ROWS)))
    stored = spans_in(cluster)
    for (group, user), spans in account.spans_of(journals).items():
        if stored.get((group, user)) != spans:
            problems.append(f"{group}: {user} has {stored.get((group, user))}, not {spans}")
    codes = {code for journal in journals for code in journal.refused.values()}
    return problems + sorted(codes - {"NOT_MEMBER", "ALREADY_MEMBER", "NO_SUCH_GROUP"})
