"""Rows of findings."""


def make(world):
    """Adds them to the world."""
