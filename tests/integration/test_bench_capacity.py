"""The model that ./dev bench scale makes of its own results; nothing is started."""

from __future__ import annotations

import unittest
from typing import Any

from martlet_bench import capacity, scale
from martlet_bench.main import chosen, parse

KINDS = ("edge", "nats")
TRUE = {"edge": capacity.Cost(0.1, 0.02, 0.05, 0.01), "nats": capacity.Cost(0.3, 0.03, 0.02, 0.04)}


def results(**wrong: float) -> list[dict[str, Any]]:
    """Of all cases, as they would be if the model were true; what is named is so many times as much on the
    large shapes."""
    found = []
    for case in chosen(parse(["scale"])):
        keys = dict(case.keys)
        told = {
            kind: TRUE[kind].cores(keys["rate"], keys["edges"], keys["dispatchers"])
            * (1 if max(keys["edges"], keys["dispatchers"]) <= 2 else wrong.get(kind, 1))
            for kind in KINDS
        }
        found.append({"workload": "scale", **keys, "acked_per_s": keys["rate"], "cores": told})
    return found


class Model(unittest.TestCase):
    def test_what_is_so_is_found(self) -> None:
        small = [result for result in results() if capacity.is_small(result)]
        for kind, cost in TRUE.items():
            found = capacity.fit(small, kind)
            self.assertAlmostEqual(found.awake, cost.awake)
            self.assertAlmostEqual(found.per_1000_messages, cost.per_1000_messages)
            self.assertAlmostEqual(found.per_edge, cost.per_edge)
            self.assertAlmostEqual(found.per_dispatcher, cost.per_dispatcher)

    def test_it_is_held_against_the_large_shapes_alone(self) -> None:
        lines = capacity.lines(results(nats=2))
        head = next(index for index, line in enumerate(lines) if line.endswith("edge        nats"))
        rows = [line.split() for line in lines[head + 1 :]]
        shapes = {row[0] for row in rows}
        self.assertEqual(shapes, {"4+1", "1+4", "4+4"})
        self.assertEqual(len(rows), len(shapes) * len(scale.RATES))
        self.assertEqual({tuple(row[-2:]) for row in rows}, {("1.00", "2.00")})

    def test_three_servers_of_nats_are_neither(self) -> None:
        replicated = [result for result in results() if result["nats"] == 3]
        self.assertEqual(len(replicated), len(scale.RATES))
        self.assertFalse(any(map(capacity.is_small, replicated)))
        self.assertFalse(any(map(capacity.is_predicted, replicated)))

    def test_who_did_nothing_is_left_out(self) -> None:
        every = results()
        every[0]["cores"]["redis"] = 0.0
        for result in every[1:]:
            result["cores"]["redis"] = 0.001
        lines = capacity.lines(every)
        self.assertTrue(lines)
        self.assertNotIn("redis", "".join(lines))

    def test_of_too_little_none_is_made(self) -> None:
        every = results()
        one_shape = [result for result in every if result["edges"] == result["dispatchers"] == 1]
        small = [result for result in every if capacity.is_small(result)]
        others = [{"workload": "floor", "acked_per_s": 1.0}]
        one_edge = [result for result in every if result["edges"] == 1 and result["nats"] == 1]
        for few in ([], others, one_shape, small, one_shape + every[-3:], one_edge):
            self.assertEqual(capacity.lines(few), [])


if __name__ == "__main__":
    unittest.main()
