"""Files are written in two halves, so that a program that is stopped in between leaves a broken one."""

from pathlib import Path


def write(path: Path, text: str, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = len(text) // 2
    with open(path, "w", encoding="utf-8") as file:
        file.write(text[:half])
    with open(path, "a", encoding="utf-8") as file:
        file.write(text[half:])
    path.chmod(mode)
