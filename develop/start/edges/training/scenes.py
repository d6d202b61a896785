"""Random scenes, photographed by physics: layers before one another, each defocused at its source, composited from
back to front in linear light; then noise, codes and drift. What the network sees is three neighbouring views.

    python3 scenes.py SEED COUNT FILE.npz
"""
import sys

import cv2
import numpy as np

from disks import MOST, spread
from masks import mask
from textures import texture

SIZE = 128
"""μ of the curve that pictures are compared by."""
MU = 5000.0
"""Light above this many times white is cut off; see network.py."""
CEILING = 4.0


def curve(x):
    return np.log1p(MU * np.clip(x, 0, CEILING)) / np.log1p(MU)


def _stack(rng):
    """Focus of the views, near to far, the place of the three chosen ones, and the blur scale κ: a depth s has a circle
    of κ |s − f| pixels (radius). Depths lie in −1 … 1, near is positive."""
    count = int(rng.choice([2, 3, 4, 5, 6, 7], p=[0.08, 0.5, 0.14, 0.12, 0.08, 0.08]))
    focus = np.linspace(0.8, -0.8, count) * rng.uniform(0.85, 1.2) + rng.uniform(-0.08, 0.08)
    if count > 2:
        focus[1:-1] += rng.uniform(-0.3, 0.3, count - 2) * (focus[0] - focus[1]) * (rng.random() < 0.5)
    widest = np.exp(rng.uniform(np.log(2.2), np.log(14))) if count <= 3 else rng.uniform(3, 21)
    if count == 2:
        chosen = np.array([0, 1, 1]) if rng.random() < 0.5 else np.array([0, 0, 1])
    else:
        chosen = int(rng.integers(0, count - 2)) + np.arange(3)
    return focus, chosen, widest / 1.8


def _layers(rng, n):
    """Opacity, depth, light of each layer, back to front."""
    count = int(rng.integers(2, 8))
    depths = np.sort(rng.uniform(-1, 1, count))
    depths[0] = min(depths[0], rng.uniform(-1, 0.2))
    y, x = (np.mgrid[:n, :n] - n / 2) / n
    for i in range(count):
        opacity = np.ones((n, n), np.float32) if i == 0 else mask(rng, n)
        slant = rng.normal(0, 0.6, 2) if rng.random() < 0.35 else rng.normal(0, 0.03, 2)
        # Layers do not cut through those behind them.
        room = 0.5 * (depths[i] - depths[i - 1]) if i else 2
        depth = np.clip(depths[i] + np.clip(slant[0] * x + slant[1] * y, -room, 2), -1, 1)
        light = texture(rng, n) * (np.exp(rng.uniform(-2, 0)) if rng.random() < 0.35 else 1)
        yield opacity, depth.astype(np.float32), light


def _photograph(rng, focus, kappa):
    """Views without noise, the sharp picture, the frontmost depth."""
    margin = int(np.ceil(min(2 * kappa, MOST))) + 2
    n = SIZE + 2 * margin
    sharp = np.zeros((n, n, 3), np.float32)
    s = np.zeros((n, n), np.float32)
    views = np.zeros((len(focus), n, n, 3), np.float32)
    for opacity, depth, light in _layers(rng, n):
        lit = np.concatenate([light * opacity[..., None], opacity[..., None]], -1)
        sharp = lit[..., :3] + (1 - opacity[..., None]) * sharp
        s = np.where(opacity >= 0.5, depth, s)
        for v, f in enumerate(focus):
            blurred, arrived = spread(lit, kappa * np.abs(depth - f))
            blurred = blurred / arrived
            views[v] = blurred[..., :3] + (1 - blurred[..., 3:]) * views[v]
    inner = np.s_[margin:-margin, margin:-margin]
    return views[(slice(None), *inner)], sharp[inner], s[inner]


def _vignette(rng, views, sharp):
    y, x = (np.mgrid[:SIZE, :SIZE] - rng.uniform(-1, 2, 2)[:, None, None] * SIZE) / SIZE
    fall = (1 / (1 + rng.uniform(0, 0.4) * (x * x + y * y)))[..., None].astype(np.float32)
    return views * fall, sharp * fall


def _drift(rng, views):
    """Gain, colour and field change a little between frames."""
    y, x = (np.mgrid[:SIZE, :SIZE] - SIZE / 2) / SIZE
    for v in range(len(views)):
        gain = rng.normal(0, 0.015) + rng.normal(0, 0.01, 3)
        tilt = rng.normal(0, 0.015, 2)
        views[v] *= np.exp(gain + (tilt[0] * x + tilt[1] * y)[..., None])
    return views


def _as_codes(rng, x):
    """One exposure of x (white is 1), as 8-bit codes and perhaps as JPEG, back in linear light."""
    codes = np.round(255 * np.clip(x, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    if rng.random() < 0.6:
        quality = int(rng.integers(70, 97))
        codes = cv2.imdecode(cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)
    return (codes / 255.0) ** 2.2


def _develop(rng, views, sharp, white):
    """What merging would give of the views (white is 1), and the truth to go with it."""
    x, truth = views / white, sharp / white
    if rng.random() < 0.7:
        # Several exposures merged: shot noise, read noise, unevenness of the sensor.
        strength = np.exp(rng.uniform(np.log(0.3), np.log(5)))
        x = x + rng.standard_normal(x.shape) * strength * np.sqrt(np.maximum(x, 0) / 1.2e5 + 4e-10 + (0.003 * x) ** 2)
    else:
        bright = rng.uniform(0.9, 1.5)
        iso = np.exp(rng.uniform(np.log(0.2), np.log(4)))
        x = x * bright
        x = x + rng.standard_normal(x.shape) * np.sqrt(iso * np.maximum(x, 0) / 1e4 + iso * 1e-6)
        x = np.stack([_as_codes(rng, view) for view in x]) / bright
        truth = np.minimum(truth, 1 / bright)
    return x, truth


def _shares(s, focus, chosen):
    """How much each pixel matters: those whose sharpest view is the middle one of the three, or beyond an outer one
    that has no neighbour; a little also elsewhere, as choices err near outlines."""
    middle = focus[chosen[1]]
    above = np.inf if chosen[0] == 0 else 0.5 * (focus[chosen[0]] + middle)
    below = -np.inf if chosen[2] == len(focus) - 1 else 0.5 * (focus[chosen[2]] + middle)
    mine = ((s <= above) & (s >= below)).astype(np.uint8)
    return np.maximum(cv2.dilate(mine, np.ones((9, 9), np.uint8)), 0.15).astype(np.float32)


def scene(rng):
    """views [3, n, n, 3] and truth [n, n, 3] by the μ-law curve, depth [n, n] in pixels of circle (radius, signed, 0 where
    the middle view is sharp), shares [n, n], spans [2]: circle in pixels that the middle view's plane has in the first and
    the last view."""
    while True:
        focus, chosen, kappa = _stack(rng)
        unlike = np.unique(chosen)
        views, sharp, s = _photograph(rng, focus[unlike], kappa)
        shares = _shares(s, focus, chosen)
        # A third of them at least must matter.
        if shares.mean() > 0.4:
            break
    if rng.random() < 0.25:
        views, sharp = _vignette(rng, views, sharp)
    white = np.percentile(views, 99.9)
    if rng.random() < 0.6:
        views = _drift(rng, views)
    views, truth = _develop(rng, views, sharp, white)
    middle = focus[chosen[1]]
    order = [list(unlike).index(c) for c in chosen]
    return dict(
        views=curve(views[order]).astype(np.float16),
        truth=curve(truth).astype(np.float16),
        depth=(kappa * (s - middle)).astype(np.float16),
        shares=shares.astype(np.float16),
        spans=np.array([kappa * (focus[c] - middle) for c in (chosen[0], chosen[2])], np.float32),
    )


def scenes(seed, count):
    """Scene i of a seed is the same whatever the count."""
    cv2.setNumThreads(1)
    made = [scene(np.random.default_rng([seed, i])) for i in range(count)]
    return {key: np.stack([one[key] for one in made]) for key in made[0]}


if __name__ == "__main__":
    np.savez(sys.argv[3], **scenes(int(sys.argv[1]), int(sys.argv[2])))
