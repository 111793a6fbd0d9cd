"""``python3 course.py update``: the newest lessons, and nothing that a learner wrote is lost.

Git would have to merge a lesson that both sides changed, and its conflict marks would make the notebook unreadable.
So such a lesson is first copied to ``notebooks/mine``, as it is, and then replaced.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from tools.environment import ROOT, say

LESSONS = ROOT / "notebooks"
MINE = LESSONS / "mine"


class UpdateError(RuntimeError):
    """The update cannot be made; the message says why, and nothing was changed."""


def git(*arguments: str) -> str:
    """Run git in the repository and return what it says.

    Raises:
        UpdateError: git is not there or says no.
    """
    try:
        answer = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise UpdateError("The update needs git, and there is none here.") from None
    if answer.returncode:
        raise UpdateError(f"git {arguments[0]} says: {answer.stderr.strip()}")
    return answer.stdout


def list_changed(*arguments: str) -> set[str]:
    """Return the tracked files that differ, as ``git diff`` names them."""
    return {name for name in git("diff", "--name-only", "--no-renames", "-z", *arguments).split("\0") if name}


def update() -> list[Path]:
    """Bring the course up to date; return the copies that were made of lessons which a learner and the update changed.

    Raises:
        UpdateError: there is no network, no address to fetch from, or a change of the learner's that is no lesson.
    """
    if not (ROOT / ".git").exists():
        raise UpdateError("This folder was not made by git clone: fetch the newest course as you did the first time.")
    git("fetch", "--quiet")
    newest = git("rev-parse", "@{upstream}").strip()
    if git("rev-list", "--count", f"{newest}..HEAD").strip() != "0":
        raise UpdateError("This copy has commits of its own; merge them yourself: git merge @{upstream}")
    colliding = list_changed("HEAD") & list_changed("HEAD", newest)
    unreadable = list_changed("--diff-filter=U")  # with conflict marks, from a merge or stash that went wrong
    lessons = sorted(name for name in colliding | unreadable if is_lesson(name))
    if others := sorted(colliding - set(lessons)):
        raise UpdateError(
            f"You and the update both changed {', '.join(others)}. Keep a copy of it elsewhere, "
            f"then: git restore {' '.join(others)}"
        )
    copies = [keep(ROOT / name) for name in lessons]
    if lessons:
        git("restore", "--source=HEAD", "--staged", "--worktree", "--", *lessons)
    git("merge", "--quiet", "--ff-only", newest)
    return copies


def is_lesson(name: str) -> bool:
    return name.endswith(".ipynb") and (ROOT / name).is_file() and (ROOT / name).is_relative_to(LESSONS)


def keep(lesson: Path) -> Path:
    """Copy a lesson into ``mine`` under a name that is still free; its pictures are found from there, too."""
    MINE.mkdir(exist_ok=True)
    names = (f"{lesson.stem}{'' if number == 1 else f'_{number}'}.ipynb" for number in range(1, 1000))
    copy = next(MINE / name for name in names if not (MINE / name).exists())
    shutil.copyfile(lesson, copy)
    text = copy.read_bytes()
    copy.write_bytes(text.replace(b"](pictures/", b"](../pictures/"))
    return copy


def main() -> None:
    try:
        copies = update()
    except UpdateError as error:
        sys.exit(f"Not updated, nothing was changed. {error}")
    for copy in copies:
        say(f"Your version of this lesson is now {copy.relative_to(ROOT).as_posix()}")
    say("The course is up to date.")
