#!/usr/bin/env python3
"""The course's tasks. Two of them are all a learner needs:

    python3 course.py lab     set everything up, then open JupyterLab at the first lesson
    python3 course.py test    set everything up, then check everything, as CI does

The tasks are in tools/tasks.py, the set-up is in tools/environment.py. This file is kept so plain that every Python
can read it, Python 2 too, and say which one is needed.
"""

import sys

OLDEST, NEWEST = (3, 11), (3, 14)  # as in pyproject.toml and in the README


def refuse_other_pythons(version):
    if not OLDEST <= tuple(version[:2]) <= NEWEST:
        found = "%d.%d" % tuple(version[:2])  # noqa: UP031  (older Pythons know no other way)
        sys.exit(
            "The course needs Python 3.11, 3.12, 3.13 or 3.14; this is Python " + found + ".\n"
            "If you have one of them, name it: python3.12 course.py lab   (on Windows: py -3.12 course.py lab)\n"
            "If not, install it from https://www.python.org/downloads/"
        )


if __name__ == "__main__":
    refuse_other_pythons(sys.version_info)
    try:
        from tools.tasks import main

        main(__doc__)
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C: no error, and no traceback
