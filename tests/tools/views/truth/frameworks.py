"""Answers of the page frameworks."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
