"""What ./dev bench trace makes of its turns; nothing is started."""

from __future__ import annotations

import unittest
from typing import Any

from martlet_bench import trace
from martlet_bench.main import chosen, parse


def turn(per_s: float, **more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(trace.COUNTS, 0)
    cpu_us = {"edge": 10.0, "nats": 20.0, "generator": 15.0}
    return {"acked_per_s": per_s, "keeps_up": True, "cpu_us": cpu_us, **counts, **more}


class Turns(unittest.TestCase):
    def test_both_sides_have_as_many_turns_and_their_middle_at_the_same_time(self) -> None:
        times = {side: [n for n, one in enumerate(trace.TURNS) if one is side] for side in (False, True)}
        self.assertEqual(len(times[False]), len(times[True]))
        self.assertEqual(sum(times[False]), sum(times[True]))

    def test_a_machine_that_becomes_slower_is_not_held_against_the_recorder(self) -> None:
        found = trace.together([turn(1000), turn(900), turn(800), turn(700)])
        self.assertEqual((found["without_per_s"], found["with_per_s"]), (850, 850))
        self.assertEqual(found["throughput_ratio"], 1)

    def test_what_it_costs_is_a_ratio(self) -> None:
        found = trace.together([turn(1000), turn(970), turn(970), turn(1000)])
        self.assertEqual(found["throughput_ratio"], 0.97)

    def test_the_cpu_of_the_servers_is_compared_and_not_the_generators(self) -> None:
        costly = {"edge": 13.0, "nats": 20.0, "generator": 30.0}
        found = trace.together([turn(1000), turn(970, cpu_us=costly), turn(970), turn(1000)])
        self.assertEqual((found["cpu_us_without"], found["cpu_us_with"]), (30, 31.5))
        self.assertEqual(found["cpu_ratio"], 1.05)

    def test_what_went_wrong_in_any_turn_counts(self) -> None:
        turns = [turn(1000, lost=1), turn(1000), turn(1000, keeps_up=False), turn(1000, doubled=2)]
        found = trace.together(turns)
        self.assertEqual((found["lost"], found["doubled"], found["keeps_up"]), (1, 2, False))
        self.assertFalse(trace.is_clean(found))

    def test_the_default_of_the_services_is_a_case(self) -> None:
        cases = chosen(parse(["trace", "--only", "permille=10"]))
        self.assertEqual([(case["permille"], case["in_flight"]) for case in cases], [(10, 512)])
