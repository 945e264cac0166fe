"""Rows of resources."""


def make(world):
    """Adds them to the world."""
