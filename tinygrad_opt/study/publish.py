"""Files that appear all together or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

__all__ = ["publish"]


def publish(files: Mapping[str, str | Path], folder: Path, *, force: bool = False) -> None:
    """Write files into a new folder that gets its name only when it is complete.

    Parameters
    ----------
    files : mapping
        Relative path → text, or the path of a file to copy.
    folder : Path
    force : bool
        Replace the folder if it is there.

    Raises
    ------
    FileExistsError
        The folder is there, and not `force`.
    """
    if folder.exists() and not force:
        raise FileExistsError(
            f"{folder} is there already: choose another place with --out, or replace it with --force."
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for name, content in files.items():
            path = made / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, path)
            else:
                path.write_text(content, encoding="utf-8", newline="\n")
        made.chmod(0o777 & ~_umask())
        if folder.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{folder.name}-old-", dir=folder.parent))
            os.rename(folder, old / "report")
            os.rename(made, folder)
            shutil.rmtree(old)
        else:
            os.rename(made, folder)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
