"""What a load costs on a cluster of any shape: a model of four numbers for each part, taken from the small
shapes of ./dev bench scale and held against the large ones. docs/scale.md reckons with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from martlet_bench.kind import Result

# Shapes with at most so many of a part give the numbers; what is larger is predicted.
SMALL = 2
PER_MESSAGES = 1000.0


@dataclass(frozen=True)
class Cost:
    """Cores that all processes of a kind take together, above some hundred messages a second. Who is awake
    costs something however little there is to do: what comes meanwhile is handled together. So there is
    a part that does not grow with the messages, and more of it with everybody who wakes others."""

    awake: float
    per_1000_messages: float  # a second
    per_edge: float
    per_dispatcher: float

    def cores(self, rate: float, edges: int, dispatchers: int) -> float:
        return (
            self.awake
            + self.per_1000_messages * rate / PER_MESSAGES
            + self.per_edge * edges
            + self.per_dispatcher * dispatchers
        )


def fit(results: Sequence[Result], kind: str) -> Cost:
    """Least squares of the relative errors. Each result has some of that kind; raises ZeroDivisionError
    where they do not tell the four numbers apart."""
    rows = []
    for result in results:
        features = (1.0, result["acked_per_s"] / PER_MESSAGES, result["edges"], result["dispatchers"])
        rows.append([value / result["cores"][kind] for value in features])
    return Cost(*_nearest_to_one(rows))


def _nearest_to_one(rows: Sequence[Sequence[float]]) -> list[float]:
    """Factors by which the sum of each row is as near to 1 as can be, by the normal equations, which are
    small here."""
    count = len(rows[0])
    matrix = [
        [sum(row[i] * row[j] for row in rows) for j in range(count)] + [sum(row[i] for row in rows)]
        for i in range(count)
    ]
    for i in range(count):
        pivot = max(range(i, count), key=lambda j: abs(matrix[j][i]))
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        matrix[i] = [value / matrix[i][i] for value in matrix[i]]
        for j in range(count):
            if j != i:
                matrix[j] = [a - matrix[j][i] * b for a, b in zip(matrix[j], matrix[i], strict=True)]
    return [row[-1] for row in matrix]


def is_small(result: Result) -> bool:
    return bool(result["edges"] <= SMALL and result["dispatchers"] <= SMALL and result["nats"] == 1)


def is_predicted(result: Result) -> bool:
    """Three NATS servers keep everything three times, which the small shapes know nothing of."""
    return not is_small(result) and result["nats"] == 1


def lines(results: Sequence[Result]) -> list[str]:
    """The model and how far off it is, if there is enough to make one of."""
    of_scale = [result for result in results if result["workload"] == "scale"]
    small = [result for result in of_scale if is_small(result)]
    large = [result for result in of_scale if is_predicted(result)]
    if len(small) < len(fields(Cost)) or not large:
        return []
    # Redis does next to nothing.
    kinds = [kind for kind in small[0]["cores"] if all(one["cores"][kind] > 0 for one in small)]
    try:
        costs = {kind: fit(small, kind) for kind in kinds}
    except ZeroDivisionError:
        return []
    rows = [
        f"the model, of shapes with at most {SMALL} of each:",
        f"  {'cores':<14}{'awake':>10}{'1,000 a second':>16}{'an edge':>10}{'a dispatcher':>14}",
    ]
    for kind, cost in costs.items():
        rows.append(
            f"  {kind:<14}{cost.awake:>10.4f}{cost.per_1000_messages:>16.4f}{cost.per_edge:>10.4f}"
            f"{cost.per_dispatcher:>14.4f}"
        )
    rows.append("measured, as a multiple of what it says:")
    rows.append(f"  {'edges+dispatchers':<19}{'rate':>8}" + "".join(f"{kind:>12}" for kind in kinds))
    for result in large:
        shape = f"{result['edges']}+{result['dispatchers']}"
        ratios = "".join(f"{ratio(costs[kind], result, kind):>12.2f}" for kind in kinds)
        rows.append(f"  {shape:<19}{result['rate']:>8,.0f}{ratios}")
    return rows


def ratio(cost: Cost, result: Result, kind: str) -> float:
    """Measured by predicted; 0 where nothing is predicted."""
    said = cost.cores(result["acked_per_s"], result["edges"], result["dispatchers"])
    return result["cores"][kind] / said if said > 0 else 0.0
