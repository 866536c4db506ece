# SPDX-FileCopyrightText: 2026 Safeguarded Restore contributors
# SPDX-License-Identifier: Apache-2.0
"""What is told of QRadar's rules: why they can't be listed, and what has changed in them."""

TOO_BUSY = "The console's rules can't be read now: too much is asked of it at this moment."


def unreadable(reason: str) -> str:
    """The console did not list them."""
    return f"The console's rules can't be read now. {reason}"


def no_such_name(name: str) -> str:
    """A mapping's rule is not there by its name."""
    return f"QRadar has no rule named {name}: it was renamed or deleted."


def no_such_id(number: int) -> str:
    """A mapping's rule is not there by its number."""
    return f"QRadar has no rule {number} any more: it was deleted."


def disabled(name: str) -> str:
    """A mapping's rule is off."""
    return f"Rule {name} is disabled in QRadar: it does not fire."


def renamed(number: int, name: str, before: str) -> str:
    """A mapping's rule has another name."""
    return f"Rule {number} is called {name} now, not {before}."


def of_type_offense(name: str) -> str:
    """A mapping's rule can't call us."""
    return (
        f"Rule {name} is of type OFFENSE, which may not run a custom action: switch the offense"
        " watch on."
    )
