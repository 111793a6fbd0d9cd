"""A learner may log in with any name; their folder and address get one that every part of the server takes."""

import re


def make_safe(name: str) -> str:
    """Return the name in small letters, digits, dots and dashes: the proxy writes others in a way that finds no page.

    Other signs turn into their number, so that two people's names stay two.
    """
    name = name.strip().lower().replace("@", "-at-")
    return re.sub(r"^\.|[^a-z0-9._-]", lambda sign: f"-{ord(sign[0]):x}", name)  # no ".": a folder must be below ours
