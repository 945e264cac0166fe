"""Rows of operation."""


def make(world):
    """Adds them to the world."""
