"""Answers of the page identity."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
