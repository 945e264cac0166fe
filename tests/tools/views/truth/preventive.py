"""Answers of the page preventive."""


def answers(view):
    """Rows of every query of every widget: {widget: [rows, …]}."""
    return {}
