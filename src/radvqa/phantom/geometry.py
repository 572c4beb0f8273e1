"""Where things lie: a patient's own warped coordinates, and shapes drawn in them with soft edges.

Anatomical coordinates run from -1 to 1, x to the right and y downwards in the picture, as a viewer sees it;
by radiological convention the patient's right is at negative x. A shape is a coverage between 0 and 1 per pixel.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw
from scipy import ndimage

Array: TypeAlias = npt.NDArray[Any]  # float32 of shape (SIZE, SIZE) unless said otherwise
Point: TypeAlias = tuple[float, float]
Stroke: TypeAlias = tuple[Point, Point, float, float]
"""From, to, width (anatomical units), value from 0 to 1."""

SIZE = 256
_OVERSAMPLING = 2
_CURVE_STEPS = 6  # straight pieces between two control points


@lru_cache(maxsize=16)
def _spline_basis(cells: int) -> Array:
    """Return the cubic B-spline basis of shape (SIZE, cells + 3) for smooth interpolation along one axis."""
    place = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * cells
    first = np.minimum(place.astype(int), cells - 1)
    t = place - first
    weights = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
    ) / np.float32(6)
    basis = np.zeros((SIZE, cells + 3), np.float32)
    for offset in range(4):
        basis[np.arange(SIZE), first + offset] = weights[:, offset]
    return basis


def noise(rng: np.random.Generator, cells: int) -> Array:
    """Make smooth random texture with about ``cells`` bumps across the picture, mean 0 and deviation about 1."""
    basis = _spline_basis(cells)
    grid = rng.standard_normal((cells + 3, cells + 3), dtype=np.float32)
    return np.asarray(basis @ grid @ basis.T * np.float32(2.08))


def blur(picture: Array, sigma: float) -> Array:
    """Blur with a Gaussian of ``sigma`` pixels; only where there is something, because most shapes are small."""
    rows, columns = np.flatnonzero(picture.any(axis=1)), np.flatnonzero(picture.any(axis=0))
    if not len(rows):
        return picture
    reach = int(3 * sigma + 1.5)
    part = (
        slice(max(rows[0] - reach, 0), min(rows[-1] + reach + 1, SIZE)),
        slice(max(columns[0] - reach, 0), min(columns[-1] + reach + 1, SIZE)),
    )
    result = np.zeros_like(picture)
    result[part] = ndimage.gaussian_filter(picture[part], sigma, mode="nearest", truncate=3.0)
    return result


def wide_blur(picture: Array, sigma: float) -> Array:
    """Blur with a Gaussian of many pixels, on a picture shrunk four times, because detail is lost anyway."""
    small = picture.reshape(SIZE // 4, 4, SIZE // 4, 4).mean(axis=(1, 3))
    small = ndimage.gaussian_filter(small, sigma / 4, mode="nearest")
    return np.asarray(ndimage.zoom(small, 4, order=1, mode="nearest", grid_mode=True), dtype=np.float32)


def smooth_closed(points: Sequence[Point]) -> Array:
    """Return a closed Catmull-Rom curve through the points, of shape (n, 2)."""
    p = np.asarray(points, np.float64)
    return _catmull(np.roll(p, 1, 0), p, np.roll(p, -1, 0), np.roll(p, -2, 0))


def smooth_open(points: Sequence[Point]) -> Array:
    """Return an open Catmull-Rom curve through the points, of shape (n, 2)."""
    p = np.asarray(points, np.float64)
    q = np.concatenate([p[:1] * 2 - p[1:2], p, p[-1:] * 2 - p[-2:-1]])
    return np.concatenate([_catmull(q[:-3], q[1:-2], q[2:-1], q[3:]), p[-1:]])


def _catmull(a: Array, b: Array, c: Array, d: Array) -> Array:
    t = (np.arange(_CURVE_STEPS) / _CURVE_STEPS)[None, :, None]
    a, b, c, d = (v[:, None, :] for v in (a, b, c, d))
    curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    return np.asarray(0.5 * curve).reshape(-1, 2)


def mirrored(points: Sequence[Point]) -> list[Point]:
    """Return the points on the other side of the midline."""
    return [(-x, y) for x, y in points]


class Frame:
    """One patient's coordinates: turned, scaled, shifted and gently warped, the same for every organ.

    Args:
        rng: the patient's source of randomness.
        turn: deviation of the rotation in radians.
        warp: size of the warp in anatomical units.
        scale: deviation of the body's scale.
        magnify: how much larger than in anatomical units the body is shown, across and down.
        centre: the anatomical point shown in the middle.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        *,
        turn: float = 0.03,
        warp: float = 0.02,
        scale: float = 0.03,
        magnify: tuple[float, float] = (1.0, 1.0),
        centre: Point = (0.0, 0.0),
    ) -> None:
        self.rng = rng
        angle = float(np.clip(rng.normal(0, turn), -2 * turn, 2 * turn))
        zoom = np.asarray(magnify) * (1 + np.clip(rng.normal(0, scale, 2), -1.6 * scale, 1.6 * scale))
        self._matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / zoom[:, None]
        self._inverse = np.linalg.inv(self._matrix)
        self._shift = rng.normal(0, 0.015, 2) + centre
        self._wave = rng.uniform(1.5, 4.5, (2, 4)) * rng.choice([-1, 1], (2, 4))
        self._phase = rng.uniform(0, 2 * np.pi, 4)
        self._swing = rng.normal(0, warp / 2, (4, 2))
        line = (np.arange(SIZE) + 0.5) / (SIZE / 2) - 1
        across, down = line[:, None] * self._wave[0], line[:, None] * self._wave[1] + self._phase
        rows = np.concatenate([np.cos(down), np.sin(down)], axis=1)  # sin(a + b) taken apart, so that 1-D sines do
        columns = np.concatenate([np.sin(across), np.cos(across)], axis=1)
        swing = np.concatenate([self._swing, self._swing])
        m, s = self._matrix, self._shift
        self.x, self.y = (
            (m[i, 0] * line[None, :] + m[i, 1] * line[:, None] + s[i] + (rows * swing[:, i]) @ columns.T).astype(
                np.float32
            )
            for i in (0, 1)
        )

    def _warp(self, points: Array) -> Array:
        """Return the displacement of picture points of shape (n, 2)."""
        return np.asarray(np.sin(points @ self._wave + self._phase) @ self._swing)

    def pixels(self, points: Array) -> Array:
        """Turn anatomical points of shape (n, 2) into pixel coordinates (x, y) of shape (n, 2)."""
        p = (points - self._shift) @ self._inverse.T
        for _ in range(3):  # the warp is small, so that this fixed point is reached at once
            p = (points - self._shift - self._warp(p)) @ self._inverse.T
        return np.asarray((p + 1) * (SIZE / 2))

    def noise(self, cells: int) -> Array:
        """Make smooth random texture from this patient's randomness."""
        return noise(self.rng, cells)

    def vary(self, value: float, share: float = 0.08) -> float:
        """Vary a length by up to two deviations of ``share``."""
        return value * (1 + share * float(np.clip(self.rng.normal(), -2, 2)))

    def radius(self, cx: float, cy: float, rx: float, ry: float, angle: float = 0.0, power: float = 2.0) -> Array:
        """Return the elliptic radius around a centre: 1 on the outline, less inside."""
        return self._radius((slice(None), slice(None)), cx, cy, rx, ry, angle, power)

    def _radius(
        self, part: tuple[slice, slice], cx: float, cy: float, rx: float, ry: float, angle: float, power: float
    ) -> Array:
        u, v = self.x[part] - np.float32(cx), self.y[part] - np.float32(cy)
        if angle:
            c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
            u, v = u * c + v * s, v * c - u * s
        u, v = u / np.float32(rx), v / np.float32(ry)
        if power == 2.0:
            return np.asarray(np.sqrt(u * u + v * v))
        return np.asarray((np.abs(u) ** np.float32(power) + np.abs(v) ** np.float32(power)) ** np.float32(1 / power))

    def ellipse(
        self,
        cx: float,
        cy: float,
        rx: float,
        ry: float,
        angle: float = 0.0,
        power: float = 2.0,
        rough: Array | float = 0.0,
    ) -> Array:
        """Cover a (super-)ellipse; ``rough`` is added to the radius to make the outline organic."""
        part = self._around(cx, cy, rx * 1.3, ry * 1.3)
        edge = rough[part] if isinstance(rough, np.ndarray) else rough
        cover = np.zeros((SIZE, SIZE), np.float32)
        cover[part] = soft((1 - self._radius(part, cx, cy, rx, ry, angle, power) + edge) * np.float32(np.sqrt(rx * ry)))
        return cover

    def chord(self, cx: float, cy: float, rx: float, ry: float, depth: float, angle: float = 0.0) -> Array:
        """Return the path length of the beam through an ellipsoid of the given full depth."""
        r = self.radius(cx, cy, rx, ry, angle)
        return np.asarray(np.float32(depth) * np.sqrt(np.maximum(1 - r * r, 0)))

    def _around(self, cx: float, cy: float, rx: float, ry: float) -> tuple[slice, slice]:
        """Return the pixels around an ellipse of any rotation, as rows and columns."""
        far = max(rx, ry)
        corners = self.pixels(
            np.asarray([(cx - far, cy - far), (cx + far, cy - far), (cx - far, cy + far), (cx + far, cy + far)])
        )
        low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 3, 0, SIZE)
        high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 3, 0, SIZE)
        return slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))

    def curve(self, points: Sequence[Point], *, jitter: float = 0.008) -> Array:
        """Cover the inside of a smooth closed curve; the control points vary by ``jitter``."""
        moved = np.asarray(points) + self.rng.normal(0, jitter, (len(points), 2))
        return self.polygons([(smooth_closed([(float(a), float(b)) for a, b in moved]), 1.0)])

    def tube(self, points: Sequence[Point], widths: float | Sequence[float]) -> Array:
        """Cover a smooth open curve of the given width or widths along it."""
        return self.polygons([(self.ribbon(points, widths), 1.0)])

    def ribbon(self, points: Sequence[Point], widths: float | Sequence[float]) -> Array:
        """Return the outline of a smooth curve of given width, of shape (n, 2)."""
        line = smooth_open(points)
        along = np.gradient(line, axis=0)
        along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-6)[:, None]
        known = np.atleast_1d(np.asarray(widths, float))
        width = np.interp(np.linspace(0, 1, len(line)), np.linspace(0, 1, len(known)), known)
        side = np.stack([-along[:, 1], along[:, 0]], 1) * (width / 2)[:, None]
        return np.concatenate([line + side, (line - side)[::-1]])

    def polygons(self, shapes: Sequence[tuple[Array, float]]) -> Array:
        """Draw polygons (points of shape (n, 2), value from 0 to 1), later ones over earlier ones."""
        corners = self.pixels(np.concatenate([points for points, _ in shapes]))
        paper = _Paper(corners, 1)
        for points, value in zip(
            np.split(corners, np.cumsum([len(points) for points, _ in shapes])[:-1]), shapes, strict=True
        ):
            paper.pen.polygon(paper.placed(points), fill=round(255 * value[1]))
        return paper.picture()

    def strokes(self, strokes: Sequence[Stroke]) -> Array:
        """Draw straight strokes with round ends, brighter ones over fainter ones."""
        ordered = sorted(strokes, key=lambda stroke: stroke[3])
        ends = self.pixels(np.asarray([point for stroke in ordered for point in stroke[:2]]))
        paper = _Paper(ends, 1 + max(stroke[2] for stroke in ordered) * SIZE / 2)
        for pair, (_, _, width, value) in zip(ends.reshape(-1, 2, 2), ordered, strict=True):
            wide, line = width * SIZE / 2 * _OVERSAMPLING, paper.placed(pair)
            paper.pen.line(line, fill=round(255 * value), width=max(1, round(wide)))
            if wide > 3:
                x, y, half = line[2], line[3], wide / 2
                paper.pen.ellipse((x - half, y - half, x + half, y + half), fill=round(255 * value))
        return paper.picture()


class _Paper:
    """A finer sheet over just the part of the picture that is drawn on.

    Args:
        points: what will be drawn, in pixels, of shape (n, 2).
        margin: room around the points, in pixels.
    """

    def __init__(self, points: Array, margin: float) -> None:
        low = np.clip(np.floor(points.min(axis=0) - margin).astype(int), 0, SIZE - 1)
        high = np.clip(np.ceil(points.max(axis=0) + margin).astype(int), low + 1, SIZE)
        self._low, self._size = low, high - low
        self._sheet = Image.new("L", (int(self._size[0]) * _OVERSAMPLING, int(self._size[1]) * _OVERSAMPLING))
        self.pen = ImageDraw.Draw(self._sheet)

    def placed(self, points: Array) -> list[float]:
        """Turn pixels into the sheet's flat coordinates."""
        flat: list[float] = ((points - self._low) * _OVERSAMPLING).ravel().tolist()
        return flat

    def picture(self) -> Array:
        """Return what was drawn, on the whole picture."""
        (x, y), (width, height) = self._low, self._size
        whole = np.zeros((SIZE, SIZE), np.float32)
        whole[y : y + height, x : x + width] = np.asarray(self._sheet.reduce(_OVERSAMPLING), np.float32) / np.float32(
            255
        )
        return whole


def soft(distance: Array) -> Array:
    """Turn a distance inside an outline (anatomical units) into coverage with an edge of one pixel."""
    return np.asarray(np.clip(distance * np.float32(SIZE / 2) + np.float32(0.5), 0, 1), dtype=np.float32)


def ramp(distance: Array, width: float) -> Array:
    """Turn a distance inside an outline into coverage with an edge of ``width`` anatomical units."""
    return np.asarray(np.clip(distance / np.float32(width) + np.float32(0.5), 0, 1), dtype=np.float32)
