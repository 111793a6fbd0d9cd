"""``python -m tools.heroes [SLUG ...]``: make the pictures at the top of the lessons anew."""

import importlib
import pkgutil
import sys

from cnngen_course.paths import ROOT
from tools import heroes

PICTURES = ROOT / "notebooks" / "pictures"


def main(chosen: list[str]) -> None:
    slugs = chosen or [module.name for module in pkgutil.iter_modules(heroes.__path__) if module.name != "__main__"]
    for slug in slugs:
        picture = importlib.import_module(f"tools.heroes.{slug}").make().convert("RGB")
        path = PICTURES / f"{slug}_hero.jpg"
        picture.save(path, quality=88, optimize=True)
        print(f"{path.name}: {picture.width} × {picture.height}, {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
