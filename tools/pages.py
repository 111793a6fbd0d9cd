"""``python course.py pages``: bring README, ELSEWHERE, glossary and CONTRIBUTING up to what lessons and modules say.

The sentences of the README's table come from lesson 00, the minutes from each lesson's header, the words of the
glossary from the "New words" at each lesson's end, the plan of the house from pyproject.toml's layers and from each
module's first sentence, the address of badges and links from its ``project.urls``. Nothing is typed twice.
"""

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import nbformat

from tools.elsewhere import make_cell, read_address
from tools.execute import NOTEBOOKS, ROOT

README = ROOT / "README.md"
GLOSSARY = NOTEBOOKS / "GLOSSARY.md"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"
ELSEWHERE = ROOT / "ELSEWHERE.md"
PLATFORMS = {  # where each opens a file of the repository
    "Colab": "https://colab.research.google.com/github/{place}/blob/main/{file}",
    "Kaggle": "https://kaggle.com/kernels/welcome?src=https://github.com/{place}/blob/main/{file}",
    "Binder": "https://mybinder.org/v2/gh/{place}/main?urlpath=lab/tree/{file}",
    "Codespaces": "https://codespaces.new/{place}",
}
PACKAGE = ROOT / "cnngen_course"
PATHS = {  # what fits into that many hours of work, and what each lesson needs comes before it
    "half a day": "00 01 04 13".split(),
    "one day": "00 01 03 04 07 08".split(),
    "two days": "00 01 02 03 04 05 07 08 10 11 13 18".split(),
}
HOURS = {"half a day": 5, "one day": 8, "two days": 16}
MARKS = r"(<!-- {0}: .*? -->\n).*?(<!-- end of {0} -->)"
ROW = re.compile(r"^\| \[[^\]]*\]\((?P<file>\w+\.ipynb)\) \| (?P<text>[^|]+) \|", re.MULTILINE)
NEW_WORD = re.compile(r"^- (?P<words>\*\*.+?\*\*(?:, \*\*.+?\*\*)*): (?P<meaning>.+)$", re.MULTILINE)


def list_lessons() -> list[Path]:
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def read_text(lesson: Path) -> list[str]:
    """Return the lesson's text cells."""
    return [cell.source for cell in nbformat.read(lesson, as_version=4).cells if cell.cell_type == "markdown"]


def read_minutes(lesson: Path) -> int:
    """Return how many minutes the lesson's header says that it takes to work through."""
    return int(re.search(r"\*\*Time:\*\* about (\d+) minutes", read_text(lesson)[1])[1])


def describe_paths() -> dict[str, str]:
    """Return each path through the course as "00, 01, 04 (about 3 hours)"."""
    minutes = {lesson.name[:2]: read_minutes(lesson) for lesson in list_lessons()}
    return {
        path: f"{', '.join(numbers)} (about {sum(minutes[number] for number in numbers) / 60:.0f} hours)"
        for path, numbers in PATHS.items()
    }


def make_title(lesson: Path) -> str:
    return f"{lesson.name[:2]} · {lesson.stem[3:].replace('_', ' ').capitalize()}".replace("Gan", "GAN")


def find_link(platform: str, lesson: Path) -> str:
    """Return the address at which a platform opens a lesson."""
    place = read_address().removeprefix("https://github.com/")
    return PLATFORMS[platform].format(place=place, file=f"notebooks/{lesson.name}")


def make_badges() -> str:
    """Return the README's badges, in one line; each opens the first lesson."""
    first, *_ = list_lessons()
    badges = (f"[![Open in {name}](tools/badges/{name.lower()}.svg)]({find_link(name, first)})" for name in PLATFORMS)
    return " ".join(badges) + "\n"


def make_links() -> str:
    """Return the first cell, and a table with a link to each lesson on the platforms that open one file at a time."""
    rows = ["| lesson | | |", "|---|---|---|"]
    for lesson in list_lessons():
        links = " | ".join(f"[{name}]({find_link(name, lesson)})" for name in ("Colab", "Kaggle"))
        rows.append(f"| {make_title(lesson)} | {links} |")
    return "\n".join([f"```\n{make_cell()}```", "", *rows]) + "\n"


def make_table() -> str:
    """Return the README's table of lessons and its three paths."""
    makes = dict(ROW.findall("\n".join(read_text(list_lessons()[0]))))
    makes["00_start_here.ipynb"] = "your first generated picture, within ten seconds"
    rows = ["| lesson | you will make | minutes |", "|---|---|---|"]
    for lesson in list_lessons():
        rows.append(
            f"| [{make_title(lesson)}](notebooks/{lesson.name}) | {makes[lesson.name]} | {read_minutes(lesson)} |"
        )
    paths = [f"- **{path.capitalize()}:** {text}" for path, text in describe_paths().items()]
    return "\n".join([*rows, "", "Three ways through, exercises included:", "", *paths]) + "\n"


def list_floors() -> list[list[str]]:
    """Return the rooms of each floor of the package, from the ground up, as import-linter is told them."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    (floors,) = (rule["layers"] for rule in tools["importlinter"]["contracts"] if rule["type"] == "layers")
    return [floor.split(" | ") for floor in reversed(floors)]


def describe_module(module: Path) -> str:
    """Return the first sentence of a module's docstring."""
    words = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    return words.split("\n\n")[0].replace("\n", " ").replace("``", "`")


def make_house() -> str:
    """Return CONTRIBUTING's plan of the package: the floors, and one line a file."""
    rows = ["| floor | file | what it is |", "|---|---|---|"]
    for number, rooms in enumerate(list_floors()):
        for room in rooms:
            folder = PACKAGE / room
            if not folder.is_dir():
                rows.append(f"| {number} | `{room}` | {describe_module(folder.with_suffix('.py'))} |")
                continue
            rows.append(f"| {number} | **`{room}/`** | {describe_module(folder / '__init__.py')} |")
            files = sorted(file for file in folder.glob("*.py") if file.stem != "__init__")
            rows += [f"| | · `{file.stem}` | {describe_module(file)} |" for file in files]
    return "\n".join(rows) + "\n"


def update(text: str, name: str, content: str) -> str:
    """Return a page with what stands between its two marks of that name as it should be."""
    marks = re.compile(MARKS.format(name), re.DOTALL)
    if not marks.search(text):
        raise ValueError(f"the two comments between which the {name} stand are lost")
    return marks.sub(lambda found: found[1] + content + found[2], text)


def update_readme(text: str) -> str:
    """Return the README with its badges and its table of lessons as they should be."""
    return update(update(text, "badges", make_badges()), "lessons", make_table())


def update_elsewhere(text: str) -> str:
    """Return the page on other platforms with its cell and its links as they should be."""
    return update(text, "links", make_links())


def update_contributing(text: str) -> str:
    """Return CONTRIBUTING with its plan of the house as it should be."""
    return update(text, "house", make_house())


def read_words(lesson: Path) -> list[tuple[str, str]]:
    """Return the lesson's new words, each with its meaning; several that share one stand together."""
    words = read_text(lesson)[-1].split("**New words**")[1].split("**Go further**")[0]
    return [(found["words"].replace("**", ""), found["meaning"].rstrip(".")) for found in NEW_WORD.finditer(words)]


def make_glossary() -> str:
    """Return the page of all new words, in alphabetical order, each with the lessons that explain it."""
    meanings = defaultdict(list)
    for lesson in list_lessons():
        for word, meaning in read_words(lesson):
            meanings[word].append(f"{meaning} ([{lesson.name[:2]}]({lesson.name}))")
    rows = [f"- **{word}**: {'; also: '.join(meanings[word])}" for word in sorted(meanings, key=str.casefold)]
    head = "# Glossary\n\nThe new words of all lessons, as each lesson explains them; the number leads to it.\n\n"
    return head + "\n".join(rows) + "\n"


def main() -> None:
    README.write_text(update_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    CONTRIBUTING.write_text(update_contributing(CONTRIBUTING.read_text(encoding="utf-8")), encoding="utf-8")
    ELSEWHERE.write_text(update_elsewhere(ELSEWHERE.read_text(encoding="utf-8")), encoding="utf-8")
    GLOSSARY.write_text(make_glossary(), encoding="utf-8")


if __name__ == "__main__":
    main()
