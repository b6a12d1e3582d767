"""Fuzzes the decoders with libFuzzer: ./dev fuzz."""
