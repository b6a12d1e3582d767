"""Who writes to whom: users with one or two devices, in pairs and groups, spread over several client
processes (martlet-swarm), which can be killed, paused and started again with their stores."""

from __future__ import annotations

import random
import signal
import threading
from pathlib import Path

import swarm

from martlet_cluster import Cluster

PROCESSES = 6
GROUPS = 20
GROUP_MEMBERS = 10
GOERS = 3  # of each group: they come and go
LARGE_GROUP_PART = 0.3  # of all users
# Users sit in a ring and write to the next ones: seldom, so that the servers have forgotten most of
# such a conversation, and often to their neighbours.
REACH = 12
LIVELY = 8
GROUP_PERCENT = 20
LEAVES_PER_S = 0.3  # devices of each process that say goodbye and come back
READY_S = 120.0
STORED_PERCENT = 5

Member = dict[str, str]


class Population:
    """clients: devices; a third of the users' second ones among them."""

    def __init__(self, directory: Path, edges: list[str], clients: int) -> None:
        self._directory = directory
        self._edges = edges
        count = clients * 2 // 3
        self.users = [f"user{number:03}" for number in range(count)]
        self._chance = random.Random(count)
        self.groups = self._make_groups()
        lively = swarm.ring(self.users) * LIVELY
        self._pairs = lively + swarm.ring(self.users, REACH)
        self._homes: dict[str, str] = {}  # user to the process of the first device
        self._members = self._spread(clients - count)

    def _make_groups(self) -> dict[str, list[str]]:
        """The first of the members owns it; the last ones are the goers, who are not in at first."""
        size = min(GROUP_MEMBERS + GOERS, len(self.users))
        groups = {
            f"team{number:02}": self._chance.sample(self.users, size) for number in range(GROUPS)
        }
        large = max(size, int(len(self.users) * LARGE_GROUP_PART))
        groups["plaza"] = self._chance.sample(self.users, large)
        return groups

    def _spread(self, second_devices: int) -> dict[str, list[Member]]:
        """By process. The two devices of a user are in different ones."""
        members: dict[str, list[Member]] = {f"client-{n}": [] for n in range(1, PROCESSES + 1)}
        names = list(members)
        for number, user in enumerate(self.users):
            self._homes[user] = names[number % PROCESSES]
            self._add(members[names[number % PROCESSES]], user, "d1", number)
            if number < second_devices:
                other = names[(number + PROCESSES // 2) % PROCESSES]
                self._add(members[other], user, "d2", number + 1)
        return members

    def _add(self, members: list[Member], user: str, device: str, turn: int) -> None:
        at = turn % len(self._edges)
        servers = ",".join([*self._edges[at:], *self._edges[:at]])
        store = str(self.stores / f"{user}.{device}")
        members.append({"user": user, "device": device, "servers": servers, "store": store})

    @property
    def names(self) -> list[str]:
        return list(self._members)

    @property
    def journals(self) -> Path:
        return self._directory / "journals"

    @property
    def stores(self) -> Path:
        return self._directory / "stores"

    def homes(self) -> dict[str, str]:
        """Devices to their processes."""
        return {
            f"{member['user']}/{member['device']}": name
            for name, members in self._members.items()
            for member in members
        }

    def goers_of(self, group: str) -> list[str]:
        return self.groups[group][-GOERS:]

    def home_of(self, user: str) -> str:
        return self._homes[user]

    def config_of(self, name: str, seed: int, is_first_start: bool) -> dict[str, object]:
        local = {member["user"] for member in self._members[name]}
        groups = [
            {"group": group, "members": members[:-GOERS], "open": True}
            for group, members in self.groups.items()
            if local & set(members[:-GOERS])
        ]
        return {
            "journals": str(self.journals),
            "members": self._members[name],
            "pairs": [pair for pair in self._pairs if local & set(pair)],
            "group_percent": GROUP_PERCENT,
            "groups": groups,
            "make_groups": is_first_start,
            "register": False,
            "seed": seed,
            "leaves_per_s": LEAVES_PER_S,
            "stored_percent": STORED_PERCENT,
        }


class Clients:
    """The processes of a population. Any thread."""

    def __init__(self, population: Population, directory: Path, rate: float, seed: int) -> None:
        self._population = population
        self._directory = directory
        self._rate = rate
        self._seed = seed
        self._starts = 0
        self._lock = threading.RLock()
        self._swarms: dict[str, swarm.Swarm] = {}
        self._quiet: set[str] = set()  # dead or paused
        self._is_sending = False

    def start_all(self, cluster: Cluster) -> None:
        """Accounts, sign-in, groups; nothing is sent yet."""
        swarm.add_accounts(cluster, self._population.users)
        for directory in (self._population.journals, self._population.stores):
            directory.mkdir(parents=True)
        for name in self._population.names:
            self._swarms[name] = self._spawn(name, is_first_start=True)
        for running in self._swarms.values():
            running.wait("ready", READY_S)

    def _spawn(self, name: str, *, is_first_start: bool) -> swarm.Swarm:
        self._starts += 1
        config = self._population.config_of(name, self._seed + self._starts, is_first_start)
        return swarm.Swarm(self._directory / name, **config)

    def send(self) -> None:
        self._is_sending = True
        self._share_rate()

    def _share_rate(self) -> None:
        """What those who are dead or paused don't send, the others do."""
        with self._lock:
            if not self._is_sending:
                return
            active = [name for name in self._swarms if name not in self._quiet]
            for name in active:
                self._tell(name, f"start {self._rate / len(active):.1f}")

    def _tell(self, name: str, command: str) -> None:
        try:
            self._swarms[name].say(command)
        except (BrokenPipeError, ValueError):
            pass  # it was killed this moment

    def say(self, name: str, command: str) -> None:
        with self._lock:
            if name not in self._quiet:
                self._tell(name, command)

    # What the nemesis does to them.

    def kill(self, name: str) -> None:
        with self._lock:
            self._quiet.add(name)
            self._swarms[name].process.kill()
            self._swarms[name].close()
        self._share_rate()

    def start(self, name: str) -> None:
        with self._lock:
            self._swarms[name] = self._spawn(name, is_first_start=False)
            self._quiet.discard(name)
        self._share_rate()

    def pause(self, name: str) -> None:
        with self._lock:
            self._quiet.add(name)
            self._swarms[name].process.send_signal(signal.SIGSTOP)
        self._share_rate()

    def resume(self, name: str) -> None:
        with self._lock:
            self._swarms[name].process.send_signal(signal.SIGCONT)
            self._quiet.discard(name)
        self._share_rate()

    def stop(self, name: str) -> None:
        """It says goodbye."""
        with self._lock:
            self._quiet.add(name)
            leaving = self._swarms[name]
        leaving.close()
        self._share_rate()

    def tick(self) -> dict[str, int]:
        """What all that run have sent, had acknowledged and shown by now."""
        with self._lock:
            ticks = [s.tick() for name, s in self._swarms.items() if name not in self._quiet]
        return {key: sum(tick[key] for tick in ticks) for key in ("sent", "acked", "received")}

    # The end.

    def drain(self, timeout_s: float) -> str:
        """Nothing more is sent; what is wrong if not everything is answered and shown in time. Twice: what one
        process is told last comes to devices of another one after that one's own end."""
        self._is_sending = False
        return self._drain_once(timeout_s) or self._drain_once(timeout_s)

    def _drain_once(self, timeout_s: float) -> str:
        for name in self._swarms:
            self._tell(name, "drain")
        problems = []
        for name, running in self._swarms.items():
            try:
                running.wait("drained", timeout_s)
            except AssertionError as error:
                problems.append(f"{name}: {error}")
        return "; ".join(problems)

    def close(self) -> None:
        for running in self._swarms.values():
            if running.process.poll() is None:
                running.process.send_signal(signal.SIGCONT)
            running.close()


def read_history(population: Population, cluster: Cluster, directory: Path) -> str:
    """A new device of each user reads everything; what is wrong if they don't come to the end."""
    edges = [edge.listen for edge in cluster.edges]
    members = swarm.members(population.users, edges, ["fresh"])
    fresh = swarm.Swarm(directory, members=members, register=False)
    try:
        fresh.wait("ready", READY_S)
        fresh.ask("history", "history", READY_S)
    except AssertionError as error:
        return f"new devices: {error}"
    finally:
        fresh.close()
    return ""


class Comings(threading.Thread):
    """Users who come to groups and go, all the time: by themselves, or brought and put out by the
    owner. Nobody looks whether it makes sense just then; what does not is refused."""

    PAUSE_S = 0.4

    def __init__(self, population: Population, clients: Clients, seed: int) -> None:
        super().__init__(name="comings", daemon=True)
        self._population = population
        self._clients = clients
        self._chance = random.Random(f"{seed} comings")
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(self.PAUSE_S):
            self._act(self._chance.choice(list(self._population.groups)))

    def _act(self, group: str) -> None:
        goer = self._chance.choice(self._population.goers_of(group))
        owner = self._population.groups[group][0]
        home = self._population.home_of
        action = self._chance.choice(["join", "leave", "invite", "remove"])
        if action in ("join", "leave"):
            self._clients.say(home(goer), f"group {goer} d1 {action} {group}")
        else:
            self._clients.say(home(owner), f"group {owner} d1 {action} {group} {goer}")
        self._clients.say(home(goer), f"send {goer} d1 g:{group} is it me?")

    def end(self) -> None:
        self._over.set()
        self.join()
