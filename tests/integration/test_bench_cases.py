"""Which cases ./dev bench runs, and what is held against what; nothing is started."""

from __future__ import annotations

import unittest

from support import ROOT

from martlet_bench import depths
from martlet_bench.case import Case
from martlet_bench.main import chosen, parse
from martlet_bench.sockets import share

ACKS = ("logged", "stored")


def cases(*words: str) -> list[Case]:
    return chosen(parse(list(words)))


def values(found: list[Case], *keys: str) -> list[tuple[object, ...]]:
    return [tuple(case[key] for key in keys) for case in found]


class Cases(unittest.TestCase):
    def test_a_group_at_every_pace_and_with_both_answers(self) -> None:
        paces = {100: [(64, None), (512, None), (None, 100.0)],
                 500: [(64, None), (512, None), (None, 20.0)]}  # fmt: skip
        wanted = [(size, ack, *pace) for size, own in paces.items() for pace in own for ack in ACKS]
        self.assertEqual(values(cases("group"), "size", "ack", "in_flight", "rate"), wanted)

    def test_one_place_at_every_pace_and_with_both_answers(self) -> None:
        paces = {"user": [(512, None), (None, 2000.0)], "group": [(64, None), (None, 20.0)]}
        wanted = [(kind, ack, *pace) for kind, own in paces.items() for pace in own for ack in ACKS]
        self.assertEqual(values(cases("hot"), "kind", "ack", "in_flight", "rate"), wanted)

    def test_one_answer_is_left_where_it_is_asked_for(self) -> None:
        for workload in ("group", "hot", "pairs"):
            for ack in ACKS:
                for words in (("--ack", ack), ("--only", f"ack={ack}")):
                    found = cases(workload, *words)
                    self.assertEqual(set(values(found, "ack")), {(ack,)})
                    self.assertEqual(len(found), len(cases(workload)) / 2)
        # A pace that was asked for is one case of each.
        self.assertEqual(values(cases("hot", "--rate", "5"), "kind", "ack"),
                         [("user", "logged"), ("group", "logged")])  # fmt: skip

    def test_every_closed_loop_of_a_group_has_sockets_to_be_held_against(self) -> None:
        bounds = [
            {"workload": case.workload, **case.keys, "delivered_per_s": number + 1}
            for number, case in enumerate(cases("sockets"))
        ]
        for case in cases("group"):
            result = {"workload": case.workload, **case.keys, "delivered_per_s": 1000.0}
            own = [one for one in bounds if one["size"] == case["size"]
                   and one["in_flight"] == case["in_flight"]]  # fmt: skip
            wanted = [round(1000 / one["delivered_per_s"], 3) for one in own]
            self.assertEqual([share(result, bounds)] if case["in_flight"] else [], wanted)
            self.assertEqual(len(own), 1 if case["in_flight"] else 0)

    def test_a_burst_is_held_against_what_connections_may_have_unanswered(self) -> None:
        operations = (ROOT / "docs/operations.md").read_text()
        (row,) = (line for line in operations.splitlines() if line.startswith("| `edge.max_unanswered` |"))
        self.assertEqual(row.split("|")[4].strip(), f"`{depths.MAX_UNANSWERED}`")
        self.assertEqual(values(cases("burst"), "percent", "ack"),
                         [(percent, "logged") for percent in (50, 80, 100, 115)])  # fmt: skip


if __name__ == "__main__":
    unittest.main()
