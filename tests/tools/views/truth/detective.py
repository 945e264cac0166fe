"""Answers of the page detective."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
