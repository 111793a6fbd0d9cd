"""Every Python that a tried set-up starts reads this first: it stops at one moment, until it is killed or let go.

``STOP_AT`` names the moment: program, audit event, a piece of its first arguments, and which time counts, e.g.
``["uv", "open a", "torch/_utils.py", 1]``. Opening a file is "open w" or "open a" here, by its mode.
"""

import json
import os
import sys
import time
from pathlib import Path

if "STOP_AT" in os.environ:
    program, wanted, piece, count = json.loads(os.environ["STOP_AT"])
    folder = Path(os.environ["STOP_FOLDER"])
    left = [count]

    def stop(event: str, arguments: tuple) -> None:
        if event == "open":
            event = f"open {(arguments[1] or '')[:1]}"
        if event != wanted or Path(sys.argv[0]).name != program or piece not in str(arguments[:2]):
            return
        left[0] -= 1
        if left[0] == 0:
            (folder / "reached").touch()
            while not (folder / "let go").exists():
                time.sleep(0.01)

    sys.addaudithook(stop)
