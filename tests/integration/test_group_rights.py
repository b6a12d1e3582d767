"""Who may do what in a group, by its exact code: outsiders, members, admins, owners; malformed requests;
repeats. What is refused changes nothing."""

from __future__ import annotations

import unittest
from typing import Any, ClassVar

import swarm
from groups import GroupDevice, text
from support import ClusterTest, wait_until
from wire_client import (
    ERROR,
    FETCH,
    GROUP_CREATE,
    GROUP_DISBAND,
    GROUP_INFO,
    GROUP_INVITE,
    GROUP_JOIN,
    GROUP_LEAVE,
    GROUP_LIST,
    GROUP_REMOVE,
    GROUP_SET_ROLE,
    HISTORY,
    READ,
    SEND,
    SIGN_OUT,
    TYPING,
    Frame,
    new_message_id,
)

Body = dict[str, Any]
Case = tuple[str, int, Body, str]  # who, command, body, code

USERS = ["ann", "amy", "adam", "ben", "bea", "eve", "una"]
NOBODY, BUSY = "zoe", "bee"
CHANGES = {
    GROUP_INVITE: {"users": ["eve"]},
    GROUP_JOIN: {},
    GROUP_LEAVE: {},
    GROUP_REMOVE: {"users": ["ben"]},
    GROUP_SET_ROLE: {"user": "ben", "role": "Admin"},
    GROUP_DISBAND: {},
}
TEAM = {"group": "team"}
ALL = {"conversation": "g:team", "from": "1", "to": "3"}
MEMBERS = {"kind": "Members", "members": {"action": "Joined"}}


def named(*users: str, group: str = "team") -> Body:
    return {"group": group, "users": list(users)}


def role(user: str, name: str) -> Body:
    return {"group": "team", "user": user, "role": name}


# Ann owns the team, Amy and Adam are admins, Ben and Bea members.
OF_OUTSIDERS: list[Case] = [
    ("eve", SEND, {"to_group": "team", "content": text("x")}, "NOT_MEMBER"),
    ("eve", READ, {"conversation": "g:team", "seq": "1"}, "NOT_MEMBER"),
    ("eve", FETCH, {"ranges": [ALL]}, "NOT_MEMBER"),
    ("eve", HISTORY, {"conversation": "g:team"}, "NOT_MEMBER"),
    ("eve", GROUP_INFO, TEAM, "NOT_MEMBER"),
    ("eve", GROUP_JOIN, TEAM, "FORBIDDEN"),
    ("eve", GROUP_CREATE, TEAM, "GROUP_TAKEN"),
    *(
        ("eve", command, TEAM | body, "NOT_MEMBER")
        for command, body in CHANGES.items()
        if command != GROUP_JOIN
    ),
]
OF_MEMBERS: list[Case] = [
    ("ben", GROUP_INVITE, named("eve"), "FORBIDDEN"),
    ("ben", GROUP_REMOVE, named("bea"), "FORBIDDEN"),
    ("ben", GROUP_REMOVE, named("ben"), "FORBIDDEN"),
    ("ben", GROUP_SET_ROLE, role("bea", "Admin"), "FORBIDDEN"),
    ("ben", GROUP_SET_ROLE, role("ben", "Owner"), "FORBIDDEN"),
    ("ben", GROUP_DISBAND, TEAM, "FORBIDDEN"),
    ("ben", GROUP_JOIN, TEAM, "ALREADY_MEMBER"),
    ("amy", GROUP_REMOVE, named("ann"), "FORBIDDEN"),
    ("amy", GROUP_REMOVE, named("ben", "adam"), "FORBIDDEN"),
    ("amy", GROUP_REMOVE, named("amy"), "FORBIDDEN"),
    ("amy", GROUP_REMOVE, named("eve", "una"), "NOT_MEMBER"),
    ("amy", GROUP_INVITE, named("ben", "bea"), "ALREADY_MEMBER"),
    ("amy", GROUP_SET_ROLE, role("ben", "Admin"), "FORBIDDEN"),
    ("amy", GROUP_DISBAND, TEAM, "FORBIDDEN"),
    ("ann", GROUP_LEAVE, TEAM, "OWNER_STAYS"),
    ("ann", GROUP_REMOVE, named("ann"), "FORBIDDEN"),
    ("ann", GROUP_SET_ROLE, role("ann", "Member"), "FORBIDDEN"),
    ("ann", GROUP_SET_ROLE, role("eve", "Owner"), "NOT_MEMBER"),
    ("ann", GROUP_INVITE, named(NOBODY), "NO_SUCH_USER"),
    ("ann", GROUP_INVITE, named("eve", NOBODY), "NO_SUCH_USER"),
    ("ann", GROUP_SET_ROLE, role(NOBODY, "Admin"), "NOT_MEMBER"),
    ("ann", GROUP_CREATE, named("eve", NOBODY, group="other"), "NO_SUCH_USER"),
]
MALFORMED: list[Case] = [
    ("ann", GROUP_CREATE, {"group": "Team"}, "BAD_ID"),
    ("ann", GROUP_CREATE, {"group": "a.b"}, "BAD_ID"),
    ("ann", GROUP_CREATE, {"group": ">"}, "BAD_ID"),
    ("ann", GROUP_CREATE, {"group": ""}, "BAD_ID"),
    ("ann", GROUP_CREATE, {"group": "g" * 65}, "BAD_ID"),
    ("ann", GROUP_CREATE, {"group": "new", "title": "t" * 257}, "BAD_BODY"),
    ("ann", GROUP_CREATE, {"group": "new", "title": "a\0b"}, "BAD_BODY"),
    ("ann", GROUP_CREATE, {"group": "new", "join": "Nobody"}, "BAD_BODY"),
    ("ann", GROUP_CREATE, {"group": "new", "owner": "eve"}, "BAD_BODY"),
    ("ann", GROUP_CREATE, named("eve", "eve", group="new"), "BAD_BODY"),
    ("ann", GROUP_INVITE, named(*(f"u{n}" for n in range(101))), "BAD_RANGE"),
    ("ann", GROUP_INVITE, named("eve", "eve"), "BAD_BODY"),
    ("ann", GROUP_INVITE, named("e.e"), "BAD_ID"),
    ("ann", GROUP_INVITE, named(), "BAD_BODY"),
    ("ann", GROUP_INVITE, named("eve") | {"client_msg_id": "0" * 32}, "BAD_ID"),
    ("ann", GROUP_REMOVE, named(*(f"u{n}" for n in range(101))), "BAD_RANGE"),
    ("ann", GROUP_REMOVE, named(), "BAD_BODY"),
    ("ann", GROUP_SET_ROLE, role("ben", "None"), "BAD_BODY"),
    ("ann", GROUP_SET_ROLE, role("ben", "King"), "BAD_BODY"),
    ("ann", GROUP_JOIN, {"group": "g:team"}, "BAD_ID"),
    ("ann", GROUP_INFO, {"group": "te am"}, "BAD_ID"),
    ("ann", GROUP_LIST, {"after": "te am"}, "BAD_ID"),
    ("ann", SEND, {"to_group": "team", "content": MEMBERS}, "BAD_CONTENT"),
    ("ann", SEND, {"to_group": "team", "to_user": "ben", "content": text("x")}, "BAD_BODY"),
    ("ann", SEND, {"content": text("x")}, "BAD_BODY"),
    ("ann", TYPING, {}, "BAD_BODY"),
    ("ann", TYPING, {"to_group": "te am"}, "BAD_ID"),
    ("ann", SIGN_OUT, {"device": "my phone"}, "BAD_ID"),
]


class GroupRights(ClusterTest):
    apis = 0
    devices: ClassVar[dict[str, GroupDevice]]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        swarm.add_accounts(cls.cluster, [*USERS, BUSY])
        cls.devices = {user: cls.device(user, "phone", n) for n, user in enumerate(USERS)}
        ann = cls.devices["ann"]
        ann.create("team", "amy", "adam", "ben", "bea", title="The Team")
        for admin in ("amy", "adam"):
            ann.set_role("team", admin, "Admin")
        ann.say("team", "hello")
        for device in cls.devices.values():  # from then on its edge knows all its groups
            device.sync()

    @classmethod
    def device(cls, user: str, name: str, edge: int) -> GroupDevice:
        address = cls.cluster.edges[edge % len(cls.cluster.edges)].listen
        device = GroupDevice(address, user, name, swarm.PASSWORD)
        cls.addClassCleanup(device.close)
        return device

    def ask(self, user: str, command: int, body: Body) -> Frame:
        writes = command in (SEND, GROUP_CREATE, *CHANGES)
        more = {"client_msg_id": new_message_id(), "age_ms": 0} if writes else {}
        return self.devices[user].call(command, **(more | body))

    def expect(self, case: Case) -> None:
        user, command, body, code = case
        with self.subTest(f"{user} {command} {body}"):
            answer = self.ask(user, command, body)
            self.assertEqual((answer.command, answer.body.get("name")), (ERROR, code), answer)

    def info(self, group: str, user: str = "ann") -> Body:
        answer = self.ask(user, GROUP_INFO, {"group": group})
        self.assertNotEqual(answer.command, ERROR, answer.body)
        return answer.body

    def members_of(self, group: str, user: str = "ann") -> dict[str, str]:
        return {member["user"]: member["role"] for member in self.info(group, user)["members"]}

    def check_refused(self, cases: list[Case]) -> None:
        """And that nothing happened: neither to the members nor to the log."""
        before, seq = self.info("team"), self.devices["ann"].say("team", "before")
        for case in cases:
            self.expect(case)
        self.assertEqual(self.info("team"), before)
        self.assertEqual(self.devices["ann"].say("team", "behind"), seq + 1)

    def test_an_outsider_can_do_nothing(self) -> None:
        self.check_refused(OF_OUTSIDERS)
        eve = self.devices["eve"]
        self.assertIsNone(eve.state_of("team"))
        self.assertEqual(eve.call(GROUP_LIST).body.get("groups", []), [])
        self.assertEqual(eve.seqs("team"), [])

    def test_members_and_admins_can_do_what_their_role_allows(self) -> None:
        self.check_refused(OF_MEMBERS)

    def test_members_are_told_page_by_page(self) -> None:
        named_so_far: list[str] = []
        more = True
        while more:
            after = named_so_far[-1] if named_so_far else None
            page = self.devices["ben"].call(GROUP_INFO, group="team", limit=2, after=after).body
            self.assertEqual((page["title"], page["members_count"]), ("The Team", 5))
            self.assertLessEqual(len(page["members"]), 2)
            named_so_far += [member["user"] for member in page["members"]]
            more = page["more"]
        self.assertEqual(named_so_far, ["adam", "amy", "ann", "bea", "ben"])

    def test_malformed_requests_have_their_code(self) -> None:
        self.check_refused(MALFORMED)
        self.expect(("ann", GROUP_JOIN, {"group": "new"}, "NO_SUCH_GROUP"))

    def test_a_group_that_does_not_exist(self) -> None:
        for command, body in CHANGES.items():
            self.expect(("ann", command, {"group": "nowhere"} | body, "NO_SUCH_GROUP"))
        self.expect(("ann", SEND, {"to_group": "nowhere", "content": text("x")}, "NO_SUCH_GROUP"))
        self.expect(("ann", HISTORY, {"conversation": "g:nowhere"}, "NOT_MEMBER"))
        self.expect(("ann", GROUP_INFO, {"group": "nowhere"}, "NOT_MEMBER"))

    def test_an_open_group(self) -> None:
        ann, una, ben = (self.devices[user] for user in ("ann", "una", "ben"))
        ann.create("club", "ben", join="Anyone")
        ben.invite("club", "bea")
        una.join("club")
        self.expect(("una", GROUP_REMOVE, named("bea", group="club"), "FORBIDDEN"))
        una.leave("club")
        self.expect(("una", SEND, {"to_group": "club", "content": text("x")}, "NOT_MEMBER"))
        self.expect(("una", GROUP_INFO, {"group": "club"}, "NOT_MEMBER"))
        self.assertEqual(
            self.members_of("club"), {"ann": "Owner", "ben": "Member", "bea": "Member"}
        )

    def test_the_owner_hands_over_and_the_next_one_disbands(self) -> None:
        ann, ben = self.devices["ann"], self.devices["ben"]
        ann.create("reign", "ben", "bea")
        self.devices["bea"].wait_added("reign")
        ann.set_role("reign", "ben", "Owner")
        self.assertEqual(
            self.members_of("reign"), {"ann": "Admin", "ben": "Owner", "bea": "Member"}
        )
        self.expect(("ann", GROUP_DISBAND, {"group": "reign"}, "FORBIDDEN"))
        self.expect(("ben", GROUP_LEAVE, {"group": "reign"}, "OWNER_STAYS"))
        ann.leave("reign")
        end = ben.disband("reign")
        self.devices["bea"].wait_message("g:reign", end)
        for user in ("ann", "ben", "bea"):
            send = {"to_group": "reign", "content": text("x")}
            self.expect((user, SEND, send, "NO_SUCH_GROUP"))
            self.expect((user, GROUP_JOIN, {"group": "reign"}, "NO_SUCH_GROUP"))
            self.expect((user, GROUP_CREATE, {"group": "reign"}, "GROUP_TAKEN"))
        state = self.devices["bea"].state_of("reign")
        assert state is not None
        self.assertEqual((state["membership"], state["last_seq"]), ("Former", str(end)))
        self.assertEqual(self.devices["bea"].fetch_seqs("reign", 1, end)[0][-1], end)

    def test_who_is_in_too_many_groups(self) -> None:
        """Most of them exist in the database alone: nobody looks at them."""
        self.cluster.psql(
            "INSERT INTO memberships (conversation_id, user_id, from_seq, joined_seq, joined_position,"
            f" role) SELECT -n, '{BUSY}', 1, 1, 1, 1 FROM generate_series(1, 1999) n;"
        )
        ann, busy = self.devices["ann"], self.device(BUSY, "phone", 0)
        ann.create("last", BUSY, join="Anyone")
        ann.create("over", join="Anyone")
        wait_until(lambda: self.count_groups(BUSY) == 2000, what="the creation to be stored")
        self.expect(("ann", GROUP_INVITE, named("una", BUSY, group="over"), "TOO_MANY_GROUPS"))
        self.expect(("ann", GROUP_CREATE, named(BUSY, group="more"), "TOO_MANY_GROUPS"))
        answer = busy.call(GROUP_JOIN, group="over", client_msg_id=new_message_id())
        self.assertEqual(answer.body.get("name"), "TOO_MANY_GROUPS", answer)
        self.assertEqual(self.members_of("over"), {"ann": "Owner"})
        ann.remove("last", BUSY)
        wait_until(lambda: self.count_groups(BUSY) == 1999, what="the removal to be stored")
        busy.join("over")

    def count_groups(self, user: str) -> int:
        where = f"user_id = '{user}' AND to_seq IS NULL"
        [[count]] = self.cluster.psql(f"SELECT count(*) FROM memberships WHERE {where};")
        return int(count)

    # Repeats.

    def repeat(self, user: str, message_id: str, command: int, body: Body) -> list[Frame]:
        """Through each edge, on other connections than before."""
        answers = []
        for edge in range(len(self.cluster.edges)):
            device = self.device(user, f"again{message_id}{edge}"[-20:], edge)
            answers.append(device.call(command, client_msg_id=message_id, **body))
        return answers

    def test_a_change_whose_answer_was_lost_is_repeated_and_done_once(self) -> None:
        self.devices["ann"].create("once", "ben")
        device = self.device("ann", "breaks", 0)
        message_id, body = new_message_id(), named("ben", group="once")
        device.ask(GROUP_REMOVE, client_msg_id=message_id, age_ms=0, **body)
        device.close()
        removed = {int(a.body["seq"]) for a in self.repeat("ann", message_id, GROUP_REMOVE, body)}
        self.assertEqual(removed, {2})
        self.assertEqual(self.devices["ann"].invite("once", "ben"), 3)
        again = {int(a.body["seq"]) for a in self.repeat("ann", message_id, GROUP_REMOVE, body)}
        self.assertEqual(again, removed)
        self.assertEqual(self.members_of("once"), {"ann": "Owner", "ben": "Member"})
        self.assertEqual(self.devices["ann"].say("once", "the next one"), 4)

    def test_a_repeat_that_only_the_log_or_the_database_remembers(self) -> None:
        ann = self.devices["ann"]
        ids = [new_message_id() for _ in range(2)]
        create, leave = named("ben", "bea", group="kept"), {"group": "kept"}
        ann.insist(GROUP_CREATE, ids[0], **create)
        left = self.devices["ben"].insist(GROUP_LEAVE, ids[1], **leave)
        for dispatcher in self.cluster.dispatchers:
            self.cluster.kill(dispatcher.name)
            self.cluster.start_member(dispatcher.name)
        self.assertEqual(ann.insist(GROUP_CREATE, ids[0], **create), 1)
        self.assertEqual(self.devices["ben"].insist(GROUP_LEAVE, ids[1], **leave), left)
        self.assertEqual(self.members_of("kept"), {"ann": "Owner", "bea": "Member"})

    def test_another_request_under_the_same_id_is_a_conflict(self) -> None:
        ann, message_id = self.devices["ann"], new_message_id()
        self.devices["ann"].create("same", "ben", "bea")
        ann.insist(GROUP_REMOVE, message_id, **named("ben", group="same"))
        others: list[tuple[int, Body]] = [
            (GROUP_REMOVE, named("bea", group="same")),
            (GROUP_INVITE, named("ben", group="same")),
            (GROUP_DISBAND, {"group": "same"}),
            (SEND, {"to_group": "same", "content": text("x")}),
        ]
        for command, body in others:
            self.expect(("ann", command, body | {"client_msg_id": message_id}, "CONFLICT"))
        self.assertEqual(self.members_of("same"), {"ann": "Owner", "bea": "Member"})


if __name__ == "__main__":
    unittest.main()
