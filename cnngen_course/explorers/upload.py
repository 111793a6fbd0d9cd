"""A control to bring a picture of one's own: what cannot be used is refused with a sentence, and changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from PIL import Image

from cnngen_course.images import MAX_FILE_BYTES, PictureError, check_bytes, open_picture


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
