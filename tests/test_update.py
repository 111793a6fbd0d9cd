"""An update never puts a conflict into a notebook and never loses what a learner wrote: on real small repositories."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import update
from tools.update import UpdateError

LESSON = "notebooks/01_convolution.ipynb"


def write_lesson(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"cell_type": "code", "id": str(index), "source": [line]} for index, line in enumerate(lines)]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}, indent=1) + "\n", encoding="utf-8")


def read_lesson(path: Path) -> list[str]:
    return [cell["source"][0] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "protocol.file.allow=always"]
    command = ["git", *identity, "-c", "init.defaultBranch=main", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8").stdout


@pytest.fixture
def author(tmp_path: Path) -> Path:
    """The course as its authors have it."""
    folder = tmp_path / "author"
    folder.mkdir()
    git(folder, "init", "--quiet")
    write_lesson(folder / LESSON, "one = 1", "![](pictures/a.jpg)", "three = 3")
    write_lesson(folder / "notebooks/02_data.ipynb", "same")
    (folder / "README.md").write_text("first\n", encoding="utf-8")
    commit(folder)
    return folder


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--message", "a change")


@pytest.fixture
def learner(author: Path, monkeypatch, tmp_path: Path) -> Path:
    """The same on a learner's machine; the authors have gone on since."""
    git(tmp_path, "clone", "--quiet", str(author), "learner")
    folder = tmp_path / "learner"
    for name, value in (("ROOT", folder), ("LESSONS", folder / "notebooks"), ("MINE", folder / "notebooks" / "mine")):
        monkeypatch.setattr(update, name, value)
    write_lesson(author / LESSON, "one = 1", "![](pictures/a.jpg)", "three = 'better'")
    (author / "README.md").write_text("second\n", encoding="utf-8")
    commit(author)
    return folder


def test_an_untouched_course_is_brought_up_to_date(learner: Path) -> None:
    assert update.update() == []
    assert read_lesson(learner / LESSON)[2] == "three = 'better'"
    assert update.update() == [], "again: nothing to do"


def test_a_lesson_that_both_changed_is_kept_and_replaced(author: Path, learner: Path) -> None:
    for number, name in ((1, "01_convolution.ipynb"), (2, "01_convolution_2.ipynb")):
        answer = f"three = 'my answer {number}'"
        write_lesson(learner / LESSON, "one = 1", "![](pictures/a.jpg)", answer)
        (copy,) = update.update()
        assert copy == learner / "notebooks/mine" / name
        assert read_lesson(copy) == ["one = 1", "![](../pictures/a.jpg)", answer]
        assert read_lesson(learner / LESSON) == read_lesson(author / LESSON), "no conflict marks: it can be read"
        write_lesson(author / LESSON, f"one = {number}", "![](pictures/a.jpg)", "three = 'best'")
        commit(author)


def test_a_lesson_that_the_update_leaves_alone_stays_as_the_learner_has_it(learner: Path) -> None:
    write_lesson(learner / "notebooks/02_data.ipynb", "my answer")
    (learner / "my own.txt").touch()
    assert update.update() == []
    assert read_lesson(learner / "notebooks/02_data.ipynb") == ["my answer"]
    assert (learner / "README.md").read_text(encoding="utf-8") == "second\n" and (learner / "my own.txt").exists()


def test_conflict_marks_of_an_earlier_try_are_healed(learner: Path) -> None:
    """What the old recipe, stash and pop, left behind."""
    write_lesson(learner / LESSON, "one = 1", "![](pictures/a.jpg)", "three = 'mine'")
    git(learner, "stash")
    git(learner, "pull", "--quiet")
    with pytest.raises(subprocess.CalledProcessError):
        git(learner, "stash", "pop")
    with pytest.raises(ValueError):
        read_lesson(learner / LESSON)
    (copy,) = update.update()
    assert read_lesson(copy) == ["one = 1", "![](../pictures/a.jpg)", "three = 'mine'"]
    assert read_lesson(learner / LESSON)[2] == "three = 'better'"


def test_a_conflict_that_the_learner_solved_by_hand_is_kept_as_it_is(learner: Path) -> None:
    write_lesson(learner / LESSON, "mine")
    git(learner, "stash")
    git(learner, "pull", "--quiet")
    with pytest.raises(subprocess.CalledProcessError):
        git(learner, "stash", "pop")
    write_lesson(learner / LESSON, "mine and theirs")
    (copy,) = update.update()
    assert read_lesson(copy) == ["mine and theirs"]


def test_a_lesson_that_was_deleted_comes_back(learner: Path) -> None:
    git(learner, "rm", LESSON)
    assert update.update() == [] and not (learner / "notebooks/mine").exists()
    assert read_lesson(learner / LESSON)[2] == "three = 'better'"


def put_a_file_in_the_way(author: Path, learner: Path) -> None:
    for folder in (author, learner):
        write_lesson(folder / "notebooks/03_new.ipynb", folder.name)
    commit(author)


def begin_a_merge(author: Path, learner: Path) -> None:
    git(learner, "fetch")
    git(learner, "merge", "--no-commit", "--no-ff", "@{upstream}")


def lock_the_index(author: Path, learner: Path) -> None:
    (learner / ".git/index.lock").touch()


def put_a_file_where_a_folder_comes(author: Path, learner: Path) -> None:
    """What no look beforehand finds: git itself must say no, after the lesson was replaced."""
    write_lesson(author / "more/04_new.ipynb", "new")
    commit(author)
    (learner / "more").touch()


@pytest.mark.parametrize(
    ("trouble", "words", "copied"),
    [
        (put_a_file_in_the_way, r"brings notebooks/03_new\.ipynb, and you have a file of that name", False),
        (begin_a_merge, "git merge --abort", False),
        (lock_the_index, r"index\.lock", True),
        (put_a_file_where_a_folder_comes, "git merge says", True),
    ],
)
def test_an_update_that_fails_leaves_the_lesson_and_tells_of_its_copy(
    author: Path, learner: Path, trouble: Callable[[Path, Path], None], words: str, copied: bool
) -> None:
    trouble(author, learner)
    write_lesson(learner / LESSON, "mine")
    for _ in range(2):
        with pytest.raises(UpdateError, match=words) as told:
            update.update()
        assert read_lesson(learner / LESSON) == ["mine"]
        copies = [path.relative_to(learner).as_posix() for path in learner.glob("notebooks/mine/*")]
        assert copies == (["notebooks/mine/01_convolution.ipynb"] if copied else []), "a second try copies nothing"
        assert all(copy in str(told.value) for copy in copies)


def test_another_file_that_both_changed_stops_it_before_anything_is_touched(learner: Path) -> None:
    write_lesson(learner / LESSON, "mine")
    (learner / "README.md").write_text("mine\n", encoding="utf-8")
    git(learner, "add", "README.md")
    with pytest.raises(UpdateError, match=r"both changed README\.md") as told:
        update.update()
    assert read_lesson(learner / LESSON) == ["mine"] and not (learner / "notebooks/mine").exists()
    git(learner, *str(told.value).partition("then: git ")[2].split())
    assert len(update.update()) == 1, "what it says helps, also if the file was staged"


def test_commits_of_ones_own_stop_it(learner: Path) -> None:
    write_lesson(learner / LESSON, "mine")
    commit(learner)
    with pytest.raises(UpdateError, match="commits of its own"):
        update.update()


def test_without_a_network_nothing_is_changed(author: Path, learner: Path) -> None:
    write_lesson(learner / LESSON, "mine")
    author.rename(author.with_name("gone"))
    with pytest.raises(UpdateError, match="git fetch says"):
        update.update()
    assert read_lesson(learner / LESSON) == ["mine"]


def test_a_folder_without_git_is_told(learner: Path, monkeypatch) -> None:
    monkeypatch.setattr(update, "ROOT", learner / "notebooks")
    with pytest.raises(SystemExit, match=r"as you left them.*not made by git clone"):
        update.main()


def test_it_says_where_the_learners_version_is(learner: Path, capsys) -> None:
    write_lesson(learner / LESSON, "mine")
    update.main()
    assert "notebooks/mine/01_convolution.ipynb" in capsys.readouterr().out
