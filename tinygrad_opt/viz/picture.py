"""The Picture that ``viz.graph`` returns: a graphviz.Digraph that can draw itself where there is no ``dot``."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import graphviz

from ..errors import MissingExtraError
from .layout import Layout, engine, lay_out, run_graphviz
from .paint import paint
from .svg import to_svg

__all__ = ["Picture", "write_whole"]


def write_whole(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write a file whole or not at all: into a temporary file beside it, then renamed."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(temporary, 0o666 & ~mask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return path


class Picture(graphviz.Digraph):  # type: ignore[misc]
    """A ``graphviz.Digraph`` of a recorded graph.

    Everything that Digraph offers works; drawing uses ``dot`` where it is installed and otherwise Graphviz inside
    Python. In notebooks it shows itself.

    Attributes
    ----------
    title : str
        What a screen reader reads first.
    notes : list of str
        What was folded or could not be shown; also written below the picture.
    theme : str
        "light", "dark" or "auto" (SVG only: follows the reader's system).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = ""
        self.notes: list[str] = []
        self.theme = "light"

    def copy(self) -> Picture:
        """A copy that can be changed apart."""
        new: Picture = super().copy()
        new.title, new.notes, new.theme = self.title, list(self.notes), self.theme
        return new

    def layout(self) -> Layout:
        """Positions of everything, as Graphviz laid it out."""
        return lay_out(self.source)

    def svg(self) -> str:
        """The picture as SVG text."""
        about = " ".join(self.notes)
        return to_svg(self.layout(), self.theme, self.title or "Graph of a computation", about)

    def pipe(self, format: str | None = None, *args: Any, **kwargs: Any) -> Any:
        """The picture in a format: "svg", "png", "pdf", "dot", or another one that Graphviz here can write."""
        encoding = args[3] if len(args) > 3 else kwargs.get("encoding")
        data = self._bytes(format or self.format)
        return data.decode(encoding) if encoding else data

    def _bytes(self, format: str) -> bytes:
        if format == "svg":
            return self.svg().encode()
        if format in ("dot", "gv"):
            return str(self.source).encode()
        if format in ("png", "pdf"):
            try:
                return paint(self.layout(), self.theme, format)
            except MissingExtraError:
                if engine() != "dot":
                    raise
        elif engine() != "dot":
            raise ValueError(
                f"a picture can be written as svg, png, pdf or dot here; {format!r} needs the dot program of Graphviz."
            )
        return run_graphviz(self.source, format)

    def save(
        self,
        filename: Any = None,
        directory: Any = None,
        *,
        skip_existing: bool | None = False,
    ) -> str:
        """Write the picture to a file; the suffix chooses SVG, PNG, PDF or DOT (.dot, .gv, or none).

        The file is written whole or not at all. Returns its path.
        """
        path = self._path(filename, directory)
        if not (skip_existing and path.exists()):
            data = self._bytes(path.suffix[1:].lower() or "dot")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, data)
        return str(path)

    def _path(self, filename: Any, directory: Any) -> Path:
        if filename is not None:
            self.filename = os.fspath(filename)
        return Path(directory or self.directory or "", self.filename)

    def render(
        self,
        filename: Any = None,
        directory: Any = None,
        view: bool = False,
        cleanup: bool = False,
        format: str | None = None,
        *_: Any,
        outfile: Any = None,
        **__: Any,
    ) -> str:
        """Write the picture beside its DOT source, as ``Digraph.render`` does; returns the picture's path.

        ``outfile`` names the picture itself and chooses its format by suffix.
        """
        if outfile is not None:
            picture = Path(directory or "", outfile)
            format = format or picture.suffix[1:].lower()
        else:
            source = self._path(filename, directory)
            format = format or self.format
            picture = source.with_name(f"{source.name}.{format}")
            if not cleanup:
                source.parent.mkdir(parents=True, exist_ok=True)
                write_whole(source, self.source.encode())
        data = self._bytes(format)
        picture.parent.mkdir(parents=True, exist_ok=True)
        write_whole(picture, data)
        if view:
            self._view(str(picture), format=format, quiet=False)
        return str(picture)

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, str]:
        return {"image/svg+xml": self.svg()}
