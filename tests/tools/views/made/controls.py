"""Rows of controls."""


def make(world):
    """Adds them to the world."""
