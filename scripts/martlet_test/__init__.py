"""Runs all tests and adds them up: ./dev test."""
