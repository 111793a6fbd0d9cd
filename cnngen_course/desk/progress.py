"""How far a learner is: lessons, exercises, predictions, minutes, and where to go on; read from the file of the desk.

``progress()`` shows it in the first lesson, ``cnngen progress`` in a terminal.
"""

import html
from dataclasses import dataclass

from cnngen_course.desk.outline import find_names, list_lessons, read_title
from cnngen_course.desk.store import Progress, Store, StoreError, find_folder

AS_SAID = ("right", "near")
STYLE = """<style>
.cnngen-progress { color: var(--jp-content-font-color1, inherit); max-width: 60em; }
.cnngen-progress table { border-collapse: collapse; margin: 0.8em 0; }
.cnngen-progress table :is(th, td) { padding: 0.25em 1.5em 0.25em 0; text-align: left !important; }
.cnngen-progress tr { background: none !important; }
.cnngen-progress thead { border-bottom: 1px solid var(--jp-border-color1, #888); }
.cnngen-progress a { color: var(--jp-content-link-color, #0072B2); }
.cnngen-progress .go { border-left: 4px solid #009E73; padding: 0.3em 0.8em; }
.cnngen-progress .bar { display: inline-block; width: 6em; height: 0.6em; margin-right: 0.6em; border-radius: 0.3em;
    background: var(--jp-border-color2, #bbb); overflow: hidden; }
.cnngen-progress .bar i { display: block; height: 100%; background: #009E73; }
</style>"""


@dataclass(frozen=True)
class LessonProgress:
    """One lesson: what there is to do in it, and what was done."""

    slug: str
    file: str
    title: str
    exercises: tuple[str, ...]
    predictions: tuple[str, ...]
    done: Progress

    @property
    def right(self) -> int:
        """How many of its exercises were answered right; those of an older version that are gone do not count."""
        return len(self.done.right.intersection(self.exercises))

    @property
    def made(self) -> int:
        """How many of its predictions were made."""
        return sum(prediction.name in self.predictions for prediction in self.done.predictions)

    @property
    def came_out(self) -> tuple[int, int]:
        """How many predictions came out as said, of those that can be right or wrong and are known."""
        verdicts = [made.verdict for made in self.done.predictions if made.name in self.predictions]
        judged = [verdict for verdict in verdicts if verdict not in (None, "told")]
        return sum(verdict in AS_SAID for verdict in judged), len(judged)

    @property
    def is_begun(self) -> bool:
        return self.done != Progress(self.slug)

    @property
    def is_finished(self) -> bool:
        return self.right == len(self.exercises)


@dataclass(frozen=True)
class ProgressPage:
    """All lessons with what was done in them; ``trouble`` says why nothing is known, "" if all is well."""

    lessons: tuple[LessonProgress, ...] = ()
    trouble: str = ""

    @property
    def begun(self) -> list[LessonProgress]:
        return [lesson for lesson in self.lessons if lesson.is_begun]

    def find_next(self) -> tuple[LessonProgress, str] | None:
        """Return the lesson to go on with and its section, "" for its beginning; None if all lessons are finished.

        It is the last one that was worked at, if it is not finished, else the next one that is not. The first lesson
        shows this page, so that to be there says nothing.
        """
        visited = sorted((lesson for lesson in self.begun if lesson.done.moment), key=lambda lesson: lesson.done.moment)
        places = [lesson for lesson in visited if lesson != self.lessons[0]] or visited
        last = places[-1] if places else self.lessons[0]
        if not last.is_finished:
            return last, last.done.section or ""
        place = self.lessons.index(last)
        left = (lesson for lesson in (*self.lessons[place:], *self.lessons) if not lesson.is_finished)
        found = next(left, None)
        return (found, found.done.section or "") if found else None

    def describe_sums(self) -> str:
        """Return the sentence with the sums over all lessons."""
        finished = sum(lesson.is_finished for lesson in self.lessons)
        right = sum(lesson.right for lesson in self.lessons)
        exercises = sum(len(lesson.exercises) for lesson in self.lessons)
        as_said, judged = (sum(counts) for counts in zip(*(lesson.came_out for lesson in self.lessons), strict=True))
        said = f"{as_said} of {judged} predictions came out as you said, " if judged else ""
        time = describe_time(sum(lesson.done.seconds for lesson in self.lessons))
        return (
            f"{finished} of {len(self.lessons)} lessons finished, {right} of {exercises} exercises right, {said}"
            f"{time} at work."
        )

    def __repr__(self) -> str:
        if self.trouble or not self.begun:
            return self.trouble or NOTHING
        wide = max(len(lesson.title) for lesson in self.begun)
        rows = [("lesson", *HEADS), *((lesson.title, *list_cells(lesson)) for lesson in self.begun)]
        lines = [f"{title:{wide}}  {right:>10}  {said:>22}  {time:>10}" for title, right, said, time in rows]
        following = self.find_next()
        go_on = f"Go on: {following[0].title}{_name_section(following[1])}" if following else ALL
        return "\n".join([*lines, "", self.describe_sums(), go_on])

    def _repr_html_(self) -> str:
        if self.trouble or not self.begun:
            return f'<p role="status">{html.escape(self.trouble or NOTHING)}</p>'
        following = self.find_next()
        go_on = f"Go on: {_link(following[0])}{html.escape(_name_section(following[1]))}" if following else ALL
        heads = "".join(f"<th>{head}</th>" for head in ("lesson", *HEADS))
        rows = "".join(f"<tr><td>{_link(lesson)}</td>{_draw_cells(lesson)}</tr>" for lesson in self.begun)
        return (
            f'{STYLE}<div class="cnngen-progress"><p class="go" role="status">{go_on}</p><table><thead><tr>{heads}</tr>'
            f"</thead><tbody>{rows}</tbody></table><p>{html.escape(self.describe_sums())}</p></div>"
        )


HEADS = ("exercises", "predictions", "time")
NOTHING = "Nothing is kept yet. Once you work in a lesson, this page shows how far you are."
OFF = "Nothing is kept here: CNNGEN_DESK is off."
ALL = "You have finished every lesson."


def progress() -> ProgressPage:
    """Return the page; a notebook displays it as a table with links, and ``print`` as plain text.

    Raises:
        DamagedFileError: a published lesson is cut or altered; the message says how to get it back.
    """
    folder = find_folder()
    if folder is None:
        return ProgressPage(trouble=OFF)
    try:
        done = Store(folder).load()
    except StoreError as error:
        return ProgressPage(trouble=f"Your progress cannot be read: {error}")
    lessons = (
        LessonProgress(
            *(slug, file, read_title(slug), find_names(slug, "exercise.check"), find_names(slug, "lesson.predict")),
            done.get(slug, Progress(slug)),
        )
        for slug, file in list_lessons().items()
    )
    return ProgressPage(tuple(lessons))


def list_cells(lesson: LessonProgress) -> tuple[str, str, str]:
    """Return a lesson's row as text: exercises, predictions, time."""
    as_said, judged = lesson.came_out
    said = f"{lesson.made} of {len(lesson.predictions)}" + (f", {as_said} as you said" if judged else "")
    return f"{lesson.right} of {len(lesson.exercises)}", said, describe_time(lesson.done.seconds)


def describe_time(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def _name_section(section: str) -> str:
    return f", section “{section}”" if section else ""


def _link(lesson: LessonProgress) -> str:
    """Return a link to a lesson beside the one that shows the page."""
    return f'<a href="{lesson.file}">{html.escape(lesson.title)}</a>'


def _draw_cells(lesson: LessonProgress) -> str:
    right, said, time = list_cells(lesson)
    share = 100 * lesson.right / max(1, len(lesson.exercises))
    bar = f'<span class="bar"><i style="width: {share:.0f}%"></i></span>'
    return f"<td>{bar}{right}</td><td>{said}</td><td>{time}</td>"
