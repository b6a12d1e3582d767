"""One device in groups, on a raw connection (raw_client.py): what it asks for is repeated while the
refusal is retryable, as a client does."""

from __future__ import annotations

from typing import Any

from raw_client import Device, age_ms, insist
from wire_client import (
    ERROR,
    FETCH,
    GROUP_CREATE,
    GROUP_DISBAND,
    GROUP_INVITE,
    GROUP_JOIN,
    GROUP_LEAVE,
    GROUP_REMOVE,
    GROUP_SET_ROLE,
    HISTORY,
    RESYNC_EVENT,
    SEND,
    new_message_id,
)

Body = dict[str, Any]
Seqs = tuple[list[int], list[int]]  # those shown, those withheld
LAST_SEQ = 10_000  # further than any group of the tests comes


def text(words: str) -> Body:
    return {"kind": "Text", "text": words}


class GroupDevice(Device):
    """Every answer is the seq of what was written."""

    def insist(self, command: int, message_id: str | None = None, **body: Any) -> int:
        message = message_id or new_message_id()
        answer = insist(
            lambda: self.call(command, client_msg_id=message, age_ms=age_ms(message), **body)
        )
        assert answer.command == command | 0x8000, answer
        return int(answer.body["seq"])

    def create(self, group: str, *users: str, **more: Any) -> int:
        return self.insist(GROUP_CREATE, group=group, users=list(users), **more)

    def invite(self, group: str, *users: str) -> int:
        return self.insist(GROUP_INVITE, group=group, users=list(users))

    def remove(self, group: str, *users: str) -> int:
        return self.insist(GROUP_REMOVE, group=group, users=list(users))

    def join(self, group: str) -> int:
        return self.insist(GROUP_JOIN, group=group)

    def leave(self, group: str) -> int:
        return self.insist(GROUP_LEAVE, group=group)

    def disband(self, group: str) -> int:
        return self.insist(GROUP_DISBAND, group=group)

    def set_role(self, group: str, user: str, role: str) -> int:
        return self.insist(GROUP_SET_ROLE, group=group, user=user, role=role)

    def say(self, group: str, words: str) -> int:
        return self.insist(SEND, to_group=group, content=text(words))

    def ask_say(self, group: str, words: str) -> int:
        """Waits for nothing; the number of the request."""
        return self.ask(SEND, to_group=group, client_msg_id=new_message_id(), content=text(words))

    # What it sees.

    def wait_added(self, group: str, times: int = 1) -> None:
        """So often: the edge hints at what came before it listened to the group for this user, who is
        in it now. What is sent after that comes live."""

        def hinted() -> bool:
            hints = [hint.get("conversation") for hint in self.events(RESYNC_EVENT)]
            return hints.count(f"g:{group}") >= times

        self._wait(hinted, f"the hint {times} about g:{group}")

    def seqs(self, group: str) -> list[int]:
        """Of the events so far, as they came."""
        return [int(message["seq"]) for message in self.messages(f"g:{group}")]

    def state_of(self, group: str) -> Body | None:
        """What a first SYNC tells of the group."""
        states, _, _ = self.sync()
        return next((s for s in states if s["conversation"] == f"g:{group}"), None)

    def fetch_seqs(self, group: str, first: int, last: int) -> Seqs:
        """Until nothing remains; what does not exist is neither shown nor withheld."""
        shown: list[int] = []
        withheld: list[int] = []
        ranges = [{"conversation": f"g:{group}", "from": str(first), "to": str(last)}]
        while ranges:
            answer = self.call(FETCH, ranges=ranges)
            assert answer.command != ERROR, answer.body
            shown += [int(message["seq"]) for message in answer.body.get("messages", [])]
            withheld += seqs_of(answer.body.get("withheld", []), last)
            ranges = answer.body.get("remaining", [])
        return sorted(shown), sorted(withheld)

    def history_seqs(self, group: str, direction: str = "Forward", limit: int = 200) -> Seqs:
        """Page by page to the end."""
        shown: list[int] = []
        withheld: list[int] = []
        place, more = 0, True
        while more:
            answer = self.call(
                HISTORY,
                conversation=f"g:{group}",
                direction=direction,
                limit=limit,
                **{"from": str(place)},
            )
            assert answer.command != ERROR, answer.body
            page = [int(message["seq"]) for message in answer.body.get("messages", [])]
            shown += page
            withheld += seqs_of(answer.body.get("withheld", []))
            more = answer.body["more"]
            place = page[-1] if more else place
        return sorted(shown), sorted(withheld)


def seqs_of(ranges: list[Body], last: int = LAST_SEQ) -> list[int]:
    """Of the seqs that these ranges name."""
    return [seq for r in ranges for seq in range(int(r["from"]), min(int(r["to"]), last) + 1)]
