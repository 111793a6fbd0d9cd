"""What every explorer has in common: controls, a picture that follows them, and a sentence saying what it shows.

An explorer is a pure function from the controls' values to a ``View``, plus a ``Panel`` around it. No error is
swallowed on the way: it is shown, and raised.
"""

import base64
import html
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from matplotlib.figure import Figure
from PIL import Image

from cnngen_course.figures import encode_figure
from cnngen_course.images import MAX_FILE_BYTES, PictureError, check_bytes, encode_jpeg, open_picture

VIEW = "application/vnd.jupyter.widget-view+json"
SLOW = 0.3  # seconds; a drawing that takes longer announces itself
# Seen only where no KeyGuard says that it runs: a program that shows ipywidgets' own controls and no others.
LACKING = """<style>
.cnngen-lacking {{ visibility: hidden; max-height: 0; overflow: hidden; animation: cnngen-lacking 0s 5s forwards; }}
.cnngen-whole .cnngen-lacking {{ display: none; }}
@keyframes cnngen-lacking {{ to {{ visibility: visible; max-height: none; }} }}
</style><div class="cnngen-lacking" style="line-height: 1.4">This program cannot show everything in this panel;
not here: {names}. What you see of the controls works. ELSEWHERE.md says which programs show everything.</div>"""


@dataclass(frozen=True)
class View:
    """What an explorer shows at one setting of its controls: a picture, and the same in words.

    ``quality`` is the JPEG's; less than 90 keeps a notebook small where the picture has sharp pixels everywhere.
    """

    picture: Image.Image | Figure
    text: str
    quality: int = 90

    def encode(self) -> bytes:
        if isinstance(self.picture, Figure):
            return encode_figure(self.picture)
        return encode_jpeg(self.picture.convert("RGB"), self.quality)


class Shown:
    """Goes before the ipywidget that a class is made of, so that it can say what stands for it in a saved notebook.

    ipywidgets 7, which Colab has, shows widgets in another way, and nothing beside them.
    """

    _ipython_display_ = None

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        if hasattr(super(), "_repr_mimebundle_"):
            return super()._repr_mimebundle_(**kwargs)  # type: ignore[misc]
        return {VIEW: {"version_major": 2, "version_minor": 0, "model_id": self.model_id}}  # type: ignore[attr-defined]


class KeyGuard(anywidget.AnyWidget):
    """Keeps JupyterLab's shortcuts out of a panel: they take the arrow keys and letters away from its lists."""

    _esm = """
    function render({ el }) {
      let waiting;
      const keep = (event) => {
        const command = event.ctrlKey || event.metaKey || ["Enter", "Escape", "Tab"].includes(event.key);
        if (!command) event.stopPropagation();
      };
      const guard = () => {
        const panel = el.closest(".cnngen-panel");
        if (panel) {
          panel.addEventListener("keydown", keep);
          panel.classList.add("cnngen-whole");
        } else waiting = requestAnimationFrame(guard);  // not on the page yet
      };
      guard();
      return () => cancelAnimationFrame(waiting);
    }
    export default { render };
    """


class PictureUpload(anywidget.AnyWidget):
    """A button to choose a picture file; ``value`` is what was made of the last good one, None before and after.

    The browser refuses a file that is too large before it is sent, and sends all others in parts, because many a
    server (JupyterLab, Voila, Colab) hangs up at messages of more than 10 MB.

    Args:
        prepare: turns the upright RGB picture into what the explorer works on; may raise ``PictureError``.
        description: on the button.
        ended_by: names of controls of the same ``Panel``: who moves one of them wants the course's pictures back.
        accept: kinds of files that the browser offers.
    """

    _esm = Path(__file__).with_name("upload.js")

    description = traitlets.Unicode().tag(sync=True)
    accept = traitlets.Unicode().tag(sync=True)
    most_bytes = traitlets.Int(MAX_FILE_BYTES).tag(sync=True)
    file_name = traitlets.Unicode("").tag(sync=True)  # of the picture in use
    answered = traitlets.Int(0).tag(sync=True)  # files that were taken or refused
    value = traitlets.Any(None)
    refusal = traitlets.Unicode("")  # why the last file was refused; empty if it was not

    def __init__(
        self,
        prepare: Callable[[Image.Image], Any],
        description: str,
        ended_by: tuple[str, ...] = (),
        accept: str = "image/*",
    ) -> None:
        super().__init__(description=description, accept=accept)
        self.prepare = prepare
        self.ended_by = ended_by
        self._parts: list[bytes] = []
        self.on_msg(self._receive)

    def take(self, content: bytes, name: str = "picture") -> None:
        """Use a file's content; one that cannot be used leaves the value as it is and says why in ``refusal``."""
        self.refusal = ""
        try:
            prepared = self.prepare(open_picture(content))
        except PictureError as error:
            self.refusal = str(error)
        except Exception as error:
            self.refusal = f"{type(error).__name__}: {error}."
            raise
        else:
            self.file_name = name
            self.value = prepared
        finally:
            self.answered += 1

    def put_away(self) -> None:
        """Forget the picture."""
        self._parts = []
        self.file_name = ""
        self.value = None

    def _receive(self, _widget: Any, message: dict[str, Any], buffers: list[memoryview]) -> None:
        """Deal with a message of upload.js: a part of a file, a file that was not sent, or the end of its use."""
        if message["kind"] == "put away":
            self.put_away()
        elif message["kind"] == "not sent":
            self._refuse(message["size"])
        else:
            self._collect(message, bytes(buffers[0]))

    def _refuse(self, size: int) -> None:
        self.refusal = ""
        try:
            check_bytes(size)
            self.refusal = "The browser cannot read this file. Copy it to your own disk and try again."
        except PictureError as error:
            self.refusal = str(error)
        finally:
            self.answered += 1

    def _collect(self, message: dict[str, Any], part: bytes) -> None:
        if message["start"] == 0:
            self._parts = []
        self._parts.append(part)
        size = sum(map(len, self._parts))
        if size >= min(message["size"], MAX_FILE_BYTES + 1):  # whatever was announced, no more is kept
            content, self._parts = b"".join(self._parts), []
            self.take(content, message["name"])


class Panel(Shown, widgets.HBox):
    """Controls beside a picture.

    Args:
        draw: called with the value of each control under its name; returns the ``View`` to show.
        controls: ipywidgets by name, e.g. ``{"sigma": FloatSlider(...)}``; each needs a ``description``.
        also_shown: further widgets for the controls' column (headings, ...).
        slow: tells from the same values whether a drawing will take long, so that it is announced.

    In a saved notebook, on GitHub and in print, the panel is its picture at the first setting. A program that shows
    ipywidgets' own controls only is told in a sentence what is not there; the other controls work.
    """

    def __init__(
        self,
        draw: Callable[..., View],
        controls: dict[str, widgets.Widget],
        also_shown: tuple[widgets.Widget, ...] = (),
        slow: Callable[..., bool] | None = None,
    ) -> None:
        self.draw = draw
        self.slow = slow
        self.controls = controls
        self.picture = widgets.Image(format="jpeg", layout=widgets.Layout(max_width="100%", object_fit="contain"))
        self.caption = widgets.HTML()
        self._seconds = 0.0
        self._text = ""
        self._told = ""  # of the last drawing
        self.held = False
        for control in controls.values():
            if isinstance(control, PictureUpload):
                self._attach(control)  # first, so that a moved control puts the upload away before it draws
        for control in controls.values():
            if hasattr(control, "style"):  # an XYPad has its own label
                control.style.description_width = "9em"
            control.layout.width = control.layout.width or "26em"
            control.layout.max_width = "calc(100% - 4px)"  # of a narrow window; the rest is the control's margin
            control.observe(self._follow, "value")
        self.column = widgets.VBox(
            [*controls.values(), *also_shown], layout=widgets.Layout(flex="0 1 auto", max_width="100%")
        )
        own = [f"“{part.description}”" for part in controls.values() if isinstance(part, anywidget.AnyWidget)]
        words = [widgets.HTML(LACKING.format(names=html.escape(", ".join(own))))] if own else []
        shown = widgets.VBox(
            [self.picture, self.caption, *words, KeyGuard()], layout=widgets.Layout(flex="1 1 24em", min_width="16em")
        )
        super().__init__([self.column, shown], layout=widgets.Layout(flex_flow="row wrap", align_items="flex-start"))
        self.add_class("cnngen-panel")
        self.picture.add_class("cnngen-picture")
        self.redraw()

    def describe(self) -> str:
        """Return what the panel shows now, in words."""
        return self._text

    def values(self) -> dict[str, Any]:
        """Return the present value of each control."""
        return {name: control.value for name, control in self.controls.items()}

    def set_values(self, **values: Any) -> None:
        """Move several controls at once, and draw only once for all of them."""
        self.held = True
        try:
            for name, value in values.items():
                self.controls[name].value = value
        finally:
            self.held = False
        self.redraw()

    def redraw(self) -> None:
        """Draw anew for the present values."""
        if self.slow(**self.values()) if self.slow else self._seconds > SLOW:
            self._say("Drawing ...")
        start = time.perf_counter()
        try:
            view = self.draw(**self.values())
        except Exception as error:
            self._told = f"⚠ {type(error).__name__}: {error}"
            self._say(self._told)
            raise
        self.picture.value = view.encode()
        self._seconds = time.perf_counter() - start
        self._told = view.text
        self._say(view.text)

    def _attach(self, upload: PictureUpload) -> None:
        """Say once why a file was refused, and let the controls that the upload names end its use."""

        def refuse(change: dict[str, Any]) -> None:
            # The next file ends what was said of this one, even if the picture that it brings is the one in use.
            self._say(f"⚠ {change['new']} The picture stays as it was." if change["new"] else self._told)

        def end(_change: dict[str, Any]) -> None:
            held, self.held = self.held, True  # one drawing is enough: that of the control that was moved
            try:
                upload.put_away()
            finally:
                self.held = held

        upload.observe(refuse, "refusal")
        for name in upload.ended_by:
            self.controls[name].observe(end, "value")

    def _follow(self, _change: dict[str, Any]) -> None:
        if not self.held:
            self.redraw()

    def _say(self, text: str) -> None:
        self._text = text
        # A status region: a screen reader reads it aloud when it changes.
        self.caption.value = f'<div role="status" style="line-height: 1.4">{html.escape(text)}</div>'

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if not bundle:
            return bundle
        still = {"image/jpeg": base64.b64encode(self.picture.value).decode(), "text/plain": self.describe()}
        return {**bundle, **still}, {"image/jpeg": {"alt": self.describe()}}
