"""./dev autoscale: see docs/operations.md, "As many edges as the load needs"."""
