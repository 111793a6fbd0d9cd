"""``python -m data.build NAME ...``: build the named sets (all of them without a name)."""

import importlib
import pkgutil
import sys

from data import build
from data.build.ledger import enter

TOOLS = {"gcompris", "pictures", "runs", "sources", "ledger", "licences", "sheets", "__main__"}


def names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(build.__path__) if module.name not in TOOLS)


def main(chosen: list[str]) -> None:
    unknown = set(chosen) - set(names())
    if unknown:
        sys.exit(f"no set named {', '.join(sorted(unknown))}; there are: {', '.join(names())}")
    for name in chosen or names():
        print(f"building {name} ...", flush=True)
        module = importlib.import_module(f"data.build.{name}")
        module.build()
        enter(name, module.RECORD)


if __name__ == "__main__":
    main(sys.argv[1:])
