"""Reading a text file that somebody names, so that no file can hang or fill the reader."""

from __future__ import annotations

import stat
from pathlib import Path

MOST_BYTES = 8_000_000
"""Of a file: a week of a recorded incident, row by row, takes a third."""


class Unreadable(Exception):
    """A file is no text that can be read: the line (from 1, 0 for none), and what to do."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


def read_text(path: Path, most: int = MOST_BYTES) -> str:
    """The UTF-8 text of a regular file of at most `most` bytes, without a byte order mark.

    Raises Unreadable, and FileNotFoundError where there is no such file.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            raise Unreadable(0, "is a folder; name a file in it")
        if not stat.S_ISREG(kind):
            raise Unreadable(0, "is no file on a disk; copy it into one, and name that")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Unreadable(0, f"cannot be read: {error.strerror}") from None
    except ValueError:  # half a surrogate pair, or NUL, in its name
        raise Unreadable(0, "is no name of a file; write a path") from None
    if len(content) > most:
        raise Unreadable(0, f"is larger than {most / 1e6:g} MB; name a smaller file")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "there is text that is not UTF-8; save the file as UTF-8"
        raise Unreadable(line, message) from None
