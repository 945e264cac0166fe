"""Rows of posture."""


def make(world):
    """Adds them to the world."""
