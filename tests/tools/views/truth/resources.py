"""Answers of the page resources."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
