# SPDX-License-Identifier: Apache-2.0
"""What the commands say on stderr: an error in one line with a hint below it, and notes. Needs no PyTorch."""
from __future__ import annotations

import contextlib
import errno
import os
import sys
import tempfile
from pathlib import Path

WRITE_HINTS = {
    errno.ENOENT: "choose a folder that exists",
    errno.ENOTDIR: "choose a folder that exists",
    errno.EISDIR: "name a file: -o FOLDER/net.onnx",
    errno.EACCES: "choose a folder you may write to",
    errno.EROFS: "choose a folder you may write to",
    errno.ENOSPC: "free some space or choose another disk; what was at this name is unchanged",
    errno.EDQUOT: "free some space or choose another disk; what was at this name is unchanged",
    errno.EFBIG: "the file system or a limit of this process allows no file of this size; choose another disk",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def shown(name: object) -> str:
    """A name from a file, fit for one line."""
    text = str(name)
    text = text if text.isprintable() else repr(text)
    return text if len(text) <= 120 else text[:117] + "..."


def listed(names, most: int = 12) -> str:
    """`a, b, c`, cut where it gets long."""
    names = [shown(name) for name in names]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "") or "nothing"


def fail(message: str, hint: str, code: int) -> int:
    print(f"error: {message}\nhint: {hint}", file=sys.stderr)
    return code


def note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def cannot_write(path: Path, error: OSError, size: str = "the file") -> int:
    found = error.strerror or type(error).__name__
    return fail(f"{path}: expected to write {size}, found '{found}'", WRITE_HINTS.get(error.errno, "choose another folder or disk"), 4)


def unwritable(path: Path) -> OSError | None:
    """What is already known to be wrong with an output file, so that nobody waits for it."""
    if path.is_dir():
        return IsADirectoryError(errno.EISDIR, "Is a directory")
    if not path.parent.is_dir():
        return FileNotFoundError(errno.ENOENT, "No such folder")
    return None


@contextlib.contextmanager
def quiet():
    """Holds back what C++ code writes to stderr; shown after all if the block fails."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
