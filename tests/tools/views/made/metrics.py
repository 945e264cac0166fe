"""Rows of metrics."""


def make(world):
    """Adds them to the world."""
