"""Answers of the page overview."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
