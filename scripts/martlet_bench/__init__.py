"""./dev bench: a workload on a cluster of its own, what it gave and what it cost. See
docs/benchmarks.md."""
