"""A large fleet: posture rows of 200 accounts × 3 Regions × 150 rules."""


def make(world):
    """Adds them to the world."""


def answers(view):
    """The tiles: page and widget as `page/widget`."""
    return {}
