"""Answers of the page health."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
