"""Stars that visitors give to pictures: stored in one SQLite file, and read back as numbers with intervals.

What is stored of a rating: a random name of the visit, what drew the picture, under which setting, what the judge
thought of it, and the stars. No picture, no address, no name.
"""

import sqlite3
import time
import uuid
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path

import torch

from cnngen_course.metrics import Estimate

STARS = (1, 2, 3, 4, 5)
PATIENCE = 10.0  # seconds that a rating waits for others to be written
LONGEST = 200  # characters of a text


class RatingsError(RuntimeError):
    """Ratings cannot be stored or read; the message says what to do."""


@dataclass(frozen=True)
class Rating:
    """One judgement of one picture.

    Attributes:
        model: what drew the picture, e.g. "generator".
        condition: under which setting, e.g. "Dress".
        stars: 1 to 5.
        visitor: a random name of the visit, see ``name_visitor``.
        judge: how sure the judge is of the wanted class, 0 to 1; None where there is no class.
        moment: seconds since 1970.

    Raises:
        ValueError: stars other than 1 to 5, a text that is empty or too long, a chance outside of [0, 1].
    """

    model: str
    condition: str
    stars: int
    visitor: str
    judge: float | None = None
    moment: float = field(default_factory=time.time)

    def __post_init__(self) -> None:
        if isinstance(self.stars, bool) or self.stars not in STARS:
            raise ValueError(f"stars are whole numbers from 1 to 5, got {self.stars!r}")
        for name in ("model", "condition", "visitor"):
            text = getattr(self, name)
            if not isinstance(text, str) or not 0 < len(text) <= LONGEST:
                raise ValueError(f"{name} is a text of 1 to {LONGEST} characters, got {text!r:.60}")
        if self.judge is not None and not 0 <= self.judge <= 1:
            raise ValueError(f"the judge's chance lies in [0, 1], got {self.judge}")


COLUMNS = ", ".join(part.name for part in fields(Rating))
CREATE = """create table if not exists ratings (
    model text not null, condition text not null, stars integer not null check (stars between 1 and 5),
    visitor text not null, judge real, moment real not null)"""


def name_visitor() -> str:
    """Return a random name for one visit; it says nothing about who came."""
    return uuid.uuid4().hex[:12]


class RatingBook:
    """Ratings in one file, which any number of visitors' programs may write to at the same time.

    Each rating is a transaction of its own: it is in the file wholly or not at all, also after a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def add(self, rating: Rating) -> None:
        """Store one rating.

        Raises:
            RatingsError: the disk is read-only or full, the file is no ratings file, or others write without a pause.
        """
        marks = ", ".join("?" * len(fields(Rating)))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=PATIENCE)) as connection, connection:
                connection.execute(CREATE)
                # Values never become part of the command: a text such as "'; drop table ratings" stays a text.
                connection.execute(f"insert into ratings ({COLUMNS}) values ({marks})", astuple(rating))
        except (sqlite3.Error, OSError) as error:
            raise RatingsError(f"Your stars could not be stored: {explain(error, self.path)}") from error

    def load(self) -> list[Rating]:
        """Return all ratings, oldest first; none where nobody has rated yet.

        Raises:
            RatingsError: the file cannot be read, or is no ratings file.
        """
        try:
            if not self.path.exists() or not self.path.stat().st_size:  # SQLite takes an empty file for a new one
                return []
            with closing(sqlite3.connect(f"{self.path.resolve().as_uri()}?mode=ro", PATIENCE, uri=True)) as connection:
                rows = connection.execute(f"select {COLUMNS} from ratings order by rowid").fetchall()
        except (sqlite3.Error, OSError) as error:
            raise RatingsError(f"The ratings could not be read: {explain(error, self.path)}") from error
        return [Rating(*row) for row in rows]


class RatingList(RatingBook):
    """Ratings that are kept in memory and forgotten with the program, for a lesson."""

    def __init__(self) -> None:
        self.ratings: list[Rating] = []

    def add(self, rating: Rating) -> None:
        self.ratings.append(rating)

    def load(self) -> list[Rating]:
        return list(self.ratings)


def explain(error: Exception, path: Path) -> str:
    """Say in a sentence what a failure of SQLite or of the disk means, and what to do."""
    text = str(error)
    if "readonly" in text or "unable to open" in text or isinstance(error, OSError):
        return (
            f"{path.parent} cannot be written to (a read-only disk, or not yours). Choose another file: --ratings FILE."
        )
    if "locked" in text:
        return f"others have been writing for {PATIENCE:.0f} seconds. Try again."
    if "not a database" in text or "malformed" in text:
        return f"{path.name} is not a file of ratings. Move it away, or choose another: --ratings FILE."
    if "full" in text:
        return "the disk is full."
    return f"{text}."


def compute_mean_stars(stars: Sequence[float]) -> Estimate:
    """Return the mean with its 95% interval by Student's t, which is wide where there are few; cut to 1 to 5.

    From one value nothing can be said of the spread: the interval is all of 1 to 5.
    """
    if not stars:
        raise ValueError("a mean needs at least one rating")
    values = torch.tensor(stars, dtype=torch.float64)
    mean, count = values.mean().item(), len(stars)
    if count < 2:
        return Estimate(mean, 1.0, 5.0, count)
    reach = find_t(count) * values.std().item() / count**0.5
    return Estimate(mean, max(1.0, mean - reach), min(5.0, mean + reach), count)


def find_t(count: int) -> float:
    """Return by how many standard errors a 95% interval of ``count`` values reaches to each side."""
    from scipy.stats import t  # here, not above: half a second to import

    return float(t.ppf(0.975, count - 1))


def group(ratings: Iterable[Rating], by: str) -> dict[str, list[Rating]]:
    """Return the ratings by "model" or "condition", in sorted order.

    Raises:
        ValueError: ``by`` is something else.
    """
    if by not in ("model", "condition"):
        raise ValueError(f'group by "model" or "condition", got {by!r}')
    groups: dict[str, list[Rating]] = {}
    for rating in ratings:
        groups.setdefault(getattr(rating, by), []).append(rating)
    return dict(sorted(groups.items()))


def evaluate(ratings: Iterable[Rating], by: str = "model") -> dict[str, Estimate]:
    """Return the mean stars with a 95% interval for each model or condition.

    A visitor's ratings resemble each other, for some people are strict and some are not. So each visitor gives one
    value, the mean of their stars, and the interval comes from the visitors; its ``n`` counts them. With a single
    visitor it comes from the ratings, and then it speaks of this visitor only.
    """
    results = {}
    for name, members in group(ratings, by).items():
        visits: dict[str, list[int]] = {}
        for rating in members:
            visits.setdefault(rating.visitor, []).append(rating.stars)
        means = [sum(stars) / len(stars) for stars in visits.values()]
        results[name] = compute_mean_stars(means if len(means) > 1 else [rating.stars for rating in members])
    return results


def compute_agreement(ratings: Iterable[Rating]) -> Estimate:
    """Return how alike stars and judge order the pictures: Spearman's rank correlation, -1 to 1.

    The 95% interval is Fisher's, with Bonett and Wright's (2000) correction for ranks.

    Raises:
        ValueError: fewer than four rated pictures with a judge's opinion, or all with the same stars or opinion.
    """
    from scipy.stats import rankdata

    pairs = [(rating.stars, rating.judge) for rating in ratings if rating.judge is not None]
    if len(pairs) < 4:
        raise ValueError(f"agreement needs at least four rated pictures that the judge has seen, got {len(pairs)}")
    stars, chances = (torch.from_numpy(rankdata(values)) for values in zip(*pairs, strict=True))
    if stars.std() == 0 or chances.std() == 0:
        raise ValueError("all pictures have the same stars or the same opinion: there is no order to compare")
    value = torch.corrcoef(torch.stack([stars, chances]))[0, 1].clamp(-0.999999, 0.999999)
    reach = 1.96 * ((1 + value.square() / 2) / (len(pairs) - 3)).sqrt()
    low, high = ((value.atanh() + sign * reach).tanh().item() for sign in (-1, 1))
    return Estimate(value.item(), low, high, len(pairs))
