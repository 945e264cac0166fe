"""Answers of the page findings."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
