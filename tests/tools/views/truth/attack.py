"""Answers of the page attack."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
