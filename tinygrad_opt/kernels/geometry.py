"""Where the compiled convolutions find everything: offsets of terms, places of vectors, sizes of chunks.

These depend on the shapes alone and are computed once for each. A line is an image of one row.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Geometry", "SumGeometry", "geometry"]

_VECTOR_BYTES = 32
_NEAR = 1 << 14  # bytes of planes that stay in the first-level cache while all outputs see them
_LONG = 64  # vectors from which a sum is long beside the adding up of its lanes


class SumGeometry(NamedTuple):
    """What a sum over terms needs to know."""

    numbers: tuple[Any, ...]
    """The arguments of the compiled function, from the offsets on."""
    size: tuple[int, int]
    """Of the images that are written."""
    taps: list[Any]
    """For each phase that is written, the taps that meet it."""
    whole: bool
    """Whether all of the image is written."""


def _up(count: int, by: int) -> int:
    return -(-count // by) * by


def _vectors(rows: int, columns: int, plane: int, lanes: int) -> tuple[Any, int]:
    """Where vectors lie that cover `rows` × `columns` of a plane, and how long each row is when they lie end to end.

    Either each row has vectors of its own, or they run on over the plane's margins: what takes fewer.
    """
    own, running = rows * -(-columns // lanes), -(-((rows - 1) * plane + columns) // lanes)
    if own > running:
        return np.arange(running) * lanes, plane
    row = np.arange(-(-columns // lanes)) * lanes
    return (np.arange(rows)[:, None] * plane + row).reshape(-1), _up(columns, lanes)


class Geometry:
    """One plan of ``nn.convolve`` as the kernels take it, for elements of some size."""

    def __init__(self, plan: Any, item: int) -> None:
        lead: tuple[int, ...] = (1,) if len(plan.size) == 1 else ()
        self.item, self.lanes = item, _VECTOR_BYTES // item
        self.stride: tuple[int, int] = (*lead, *plan.stride)
        self.size: tuple[int, int] = (*lead, *plan.size)
        self.out: tuple[int, int] = (*lead, *plan.out)
        self.plane: tuple[int, int] = (*lead, *plan.plane)
        self.before: tuple[int, int] = (*(0 for _ in lead), *(before for before, _ in plan.padding))
        self.phases = np.array([phase for phase, _ in plan.taps])
        self.shifts = np.array([shift for _, shift in plan.taps])
        self.tail = plan.tail
        self.remembered: dict[Any, Any] = {}

    def _chunks(self, counts: Any, vectors: int, cells: int) -> tuple[Any, int]:
        """For each phase the terms in a chunk, and how many vectors make a band.

        `counts` are the phases' taps, `cells` those of all planes of one channel that is read.
        """
        channels = max(1, _NEAR // (cells * self.item), -(-_LONG // max(1, int(np.max(counts)))))
        share = min(1.0, _NEAR / (channels * cells * self.item))  # of the planes that may be near at a time
        band = max(4, int(share * vectors) // 3) * 3
        return np.maximum(1, channels * counts), vectors if share == 1 else band

    def forward(self, channels: int, groups: int) -> SumGeometry:
        """For y = x ∗ w: terms in the order channel, tap."""
        key = channels, groups
        if key not in self.remembered:
            places, row = _vectors(*self.out, self.plane[1], self.lanes)
            places = self._threes(places)
            length = _up(int(places.max()) + self.tail + self.lanes, self.lanes)
            offsets = self._offsets(channels, groups, length)
            split = self.stride[0] * self.stride[1]
            chunks, band = self._chunks(np.array([len(self.shifts)]), len(places), split * length)
            ends, corners, counts = np.array([offsets.shape[1]]), np.zeros((1, 2), np.int64), np.array([self.out])
            where = offsets, ends, chunks, band, places[None], row, corners, counts
            numbers = *where, (self.stride, self.before, self.plane), (1, 1), length
            self.remembered[key] = SumGeometry(numbers, self.out, [np.arange(len(self.shifts))], True)
        found: SumGeometry = self.remembered[key]
        return found

    def _offsets(self, channels: int, groups: int, length: int) -> Any:
        """Where each term of a group lies in the planes of the input: (groups, channels of a group · taps)."""
        channel = np.arange(channels).reshape((groups, -1, 1))
        return ((self.phases * channels + channel) * length + self.shifts).reshape((groups, -1))

    def _threes(self, places: Any) -> Any:
        """Places filled up to whole tiles by repeating one."""
        return np.concatenate([places, np.full(-len(places) % 3, places[0] if len(places) else 0)])

    def adjoint(self, outs: int, groups: int) -> SumGeometry:
        """For x = g ∗ᵀ w: terms in the order phase, output, tap."""
        key = "adjoint", outs, groups
        if key in self.remembered:
            found: SumGeometry = self.remembered[key]
            return found
        width, (s1, s2) = self.plane[1], self.stride
        corners, counts, cells = [], [], []
        for phase in range(s1 * s2):
            corner, count, cell = [], [], []
            for r, s, before, size, extent in zip(
                (phase // s2, phase % s2), self.stride, self.before, self.size, self.plane, strict=True
            ):
                first = max(0, -((r - before) // s))  # the first cell that lies in the image
                last = min(extent, -((r - before - size) // s))
                corner.append(first * s + r - before)
                count.append(max(0, last - first))
                cell.append(first)
            empty = not all(count)
            corners.append([0, 0] if empty else corner)
            counts.append([0, 0] if empty else count)
            cells.append(0 if empty else cell[0] * width + cell[1])
        most = np.max(counts, axis=0)
        places, row = _vectors(int(most[0]), int(most[1]), width, self.lanes)
        places = self._threes(places) + np.array(cells)[:, None]
        length = _up(int(places.max(initial=0)) + self.tail + self.lanes, self.lanes)
        taps = [np.flatnonzero(self.phases == phase) for phase in range(s1 * s2)]
        output = np.arange(outs).reshape((groups, -1, 1))
        offsets = [(output * length + self.tail - self.shifts[tap]).reshape((groups, -1)) for tap in taps]
        ends = np.cumsum([part.shape[1] for part in offsets])
        chunks, band = self._chunks(np.array([len(tap) for tap in taps]), places.shape[1], length)
        lead = (self.plane[0] - self.out[0], width - self.out[1])
        where = np.concatenate(offsets, axis=1), ends, chunks, band, places, row, np.array(corners), np.array(counts)
        numbers = *where, ((1, 1), lead, (self.plane[0] + lead[0], width)), self.stride, length
        whole = int(np.prod(counts, axis=1).sum()) == self.size[0] * self.size[1]
        self.remembered[key] = made = SumGeometry(numbers, self.size, taps, whole)
        return made

    def weight(self, channels: int, groups: int) -> tuple[Any, ...]:
        """For w = Σ g ⊙ shifted x: the arguments of the compiled function, from the offsets on."""
        key = "weight", channels, groups
        if key not in self.remembered:
            places, row = _vectors(*self.out, self.plane[1], self.lanes)
            one = self.plane[0] * self.plane[1]
            images = max(1, _LONG // max(1, len(places)))
            length = _up(images * one + self.tail + 2 * self.lanes, self.lanes)
            found = self._offsets(channels, groups, length)
            offsets = np.zeros((groups, _up(found.shape[1], 3)), np.int64)
            offsets[:, : found.shape[1]] = found
            places = (np.arange(images)[:, None] * one + places).reshape(-1)
            read = self.stride, self.before, self.plane
            self.remembered[key] = offsets, places, row, images, read, one, length
        found_before: tuple[Any, ...] = self.remembered[key]
        return found_before


@functools.lru_cache(maxsize=256)
def geometry(plan: Any, item: int) -> Geometry:
    """The :class:`Geometry` of a plan for elements of `item` bytes."""
    return Geometry(plan, item)
