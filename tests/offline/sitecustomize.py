"""Pulls the network cable of every Python process that has this folder on its PYTHONPATH.

Python imports ``sitecustomize`` at start. The audit hook sees each connection and name look-up, whatever
library asks for it, and lets only this machine's own addresses through: Jupyter's kernels need those.
"""

import sys

OWN = ("127.", "::1", "localhost")


class NetworkBlocked(OSError):
    """A lesson tried to reach the network; the course must work without."""


def refuse_network(event: str, arguments: tuple) -> None:
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        check(arguments[1][0])
    elif event == "socket.getaddrinfo":
        check(arguments[0])


def check(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if isinstance(name, str) and name and not name.startswith(OWN):
        raise NetworkBlocked(f"the network is blocked during tests, but something asked for {name!r}")


sys.addaudithook(refuse_network)
