"""Rows of trail."""


def make(world):
    """Adds them to the world."""
