"""The checks that need no test: ./dev check."""
