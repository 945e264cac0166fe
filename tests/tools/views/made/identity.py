"""Rows of identity."""


def make(world):
    """Adds them to the world."""
