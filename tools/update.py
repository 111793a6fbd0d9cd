"""``python3 course.py update``: the newest lessons, and nothing that a learner wrote is lost.

Git would have to merge a lesson that both sides changed, and its conflict marks would make the notebook unreadable.
So such a lesson is first copied to ``notebooks/mine``, as the learner left it, and then replaced.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools.environment import ROOT, say

LESSONS = ROOT / "notebooks"
MINE = LESSONS / "mine"


class UpdateError(RuntimeError):
    """The update cannot be made; the message says why, and the learner's files are as they were."""


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
        UpdateError: there is no network, no address to fetch from, a merge that was begun and not ended, a change of
            the learner's that is no lesson, or whatever else makes git say no.
    """
    if not (ROOT / ".git").exists():
        raise UpdateError("This folder was not made by git clone: fetch the newest course as you did the first time.")
    git("fetch", "--quiet")
    newest = git("rev-parse", "@{upstream}").strip()
    if git("rev-list", "--count", f"{newest}..HEAD").strip() != "0":
        raise UpdateError("This copy has commits of its own; merge them yourself: git merge @{upstream}")
    for begun, command in (("MERGE_HEAD", "merge"), ("CHERRY_PICK_HEAD", "cherry-pick")):
        if (ROOT / git("rev-parse", "--git-path", begun).strip()).exists():
            raise UpdateError(f"A git {command} was begun here and not ended; to go back: git {command} --abort")
    colliding = list_changed("HEAD") & list_changed("HEAD", newest)
    unmerged = list_changed("--diff-filter=U")  # with conflict marks, from a stash that was popped
    changed = {name for name in colliding | unmerged if (ROOT / name).is_file()}  # what was deleted only comes back
    lessons = sorted(filter(is_lesson, changed))
    if others := sorted(changed - set(lessons)):
        raise UpdateError(
            f"You and the update both changed {', '.join(others)}. Keep a copy elsewhere, "
            f"then: git restore --source=HEAD --staged --worktree {' '.join(others)}"
        )
    brought = list_changed("--diff-filter=A", "HEAD", newest) - colliding
    if taken := sorted(name for name in brought if os.path.lexists(ROOT / name)):
        raise UpdateError(f"The update brings {', '.join(taken)}, and you have a file of that name: rename yours.")
    before = {ROOT / name: (ROOT / name).read_bytes() for name in lessons}
    copies = [keep(name) for name in lessons]
    try:
        if replaced := sorted(colliding | unmerged):
            git("restore", "--source=HEAD", "--staged", "--worktree", "--", *replaced)
        git("merge", "--quiet", "--ff-only", newest)
    except UpdateError as error:
        for lesson, content in before.items():
            lesson.write_bytes(content)
        told = "".join(f"\nA copy of your version is {copy.relative_to(ROOT).as_posix()}" for copy in copies)
        raise UpdateError(f"{error}{told}") from None
    return copies


def is_lesson(name: str) -> bool:
    return name.endswith(".ipynb") and (ROOT / name).is_relative_to(LESSONS)


def keep(name: str) -> Path:
    """Copy a lesson into ``mine`` under a name that is still free; its pictures are found from there, too."""
    MINE.mkdir(exist_ok=True)
    content = read_learners(name).replace(b"](pictures/", b"](../pictures/")
    stem = Path(name).stem
    names = (f"{stem}{'' if number == 1 else f'_{number}'}.ipynb" for number in range(1, 1000))
    paths = (MINE / name for name in names)
    copy = next(path for path in paths if not path.exists() or path.read_bytes() == content)  # of an update that failed
    copy.write_bytes(content)
    return copy


def read_learners(name: str) -> bytes:
    """Return a lesson as the learner left it: if conflict marks are in it, what was there before them.

    Of the sides of such a conflict, git calls the one that was stashed number 3.
    """
    content = (ROOT / name).read_bytes()
    try:
        json.loads(content)
    except ValueError:
        if " 3\t" in git("ls-files", "--unmerged", "--", name):
            return git("show", f":3:{name}").encode()
    return content


def main() -> None:
    try:
        copies = update()
    except UpdateError as error:
        sys.exit(f"Not updated; your files are as you left them. {error}")
    for copy in copies:
        say(f"Your version of this lesson is now {copy.relative_to(ROOT).as_posix()}")
    say("The course is up to date.")
