"""Random surfaces: linear light [n, n, 3], around 1. All are generated; no photograph is among them."""
import cv2
import numpy as np


def noise(rng, n, slope):
    """Noise of mean 0 and deviation 1 whose amplitude falls as 1/frequency^slope."""
    f = np.fft.fftfreq(n)
    k = np.hypot(f[:, None], f[None])
    k[0, 0] = 1
    field = np.fft.ifft2(np.fft.fft2(rng.standard_normal((n, n))) * k**-slope).real
    return (field - field.mean()) / (field.std() + 1e-9)


def _turned(rng, n):
    y, x = np.mgrid[:n, :n].astype(np.float32)
    a = rng.uniform(0, np.pi)
    return x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)


def _strokes(rng, n):
    """Lines of letters."""
    ink = np.zeros((n, n), np.uint8)
    font, size = int(rng.integers(0, 8)), rng.uniform(0.25, 0.9)
    for y in range(6, n + 12, max(7, int(size * rng.uniform(24, 40)))):
        line = "".join(chr(rng.integers(33, 123)) for _ in range(60))
        cv2.putText(ink, line, (int(rng.integers(-20, 0)), y), font, size, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    return ink / 127.5 * rng.choice([-1, 1]) * 1.5


def _patches(rng, n):
    y, x = np.mgrid[:n, :n].astype(np.float32)
    points = rng.uniform(0, n, (int(rng.integers(6, 60)), 2))
    nearest = ((y[..., None] - points[:, 0]) ** 2 + (x[..., None] - points[:, 1]) ** 2).argmin(-1)
    return rng.normal(0, 1, len(points))[nearest]


def _shapes(rng, n):
    """Shapes before one another with sizes by a power law, as surfaces in photographs have them."""
    tone = np.full((n, n), rng.normal(), np.float32)
    for radius in np.sort(1.2 / rng.uniform(0.012, 1, int(rng.integers(60, 500))) ** 0.7)[::-1]:
        at = tuple(int(v * 16) for v in rng.uniform(0, n, 2))
        axes = (int(16 * radius), int(16 * radius * rng.uniform(0.15, 1)))
        cv2.ellipse(tone, at, axes, rng.uniform(0, 180), 0, 360, float(rng.normal()), -1, cv2.LINE_AA, 4)
    return tone * 0.8


def _spots(rng, n):
    tone = np.zeros((n, n), np.float32)
    for _ in range(int(rng.integers(10, 150))):
        at = tuple(int(v * 16) for v in rng.uniform(0, n, 2))
        cv2.circle(tone, at, int(16 * np.exp(rng.uniform(-0.4, 1.8))), float(rng.choice([-1, 1, 1.5])), -1, cv2.LINE_AA, 4)
    return tone


def _skin(rng, n):
    """Soft shading, pores and fine hair."""
    tone = 0.6 * noise(rng, n, rng.uniform(1.6, 2.4)) + 0.15 * noise(rng, n, rng.uniform(0.3, 0.8))
    hair = np.zeros((n, n), np.float32)
    direction = rng.uniform(0, 2 * np.pi)
    for _ in range(int(rng.integers(0, 60))):
        p, a = rng.uniform(0, n, 2), direction + rng.normal(0, 0.4)
        line = []
        for _ in range(int(rng.integers(3, 12))):
            line.append(np.round(p * 16).astype(np.int32))
            p, a = p + 4 * np.array([np.cos(a), np.sin(a)]), a + rng.normal(0, 0.15)
        cv2.polylines(hair, [np.array(line)], False, 1.0, 1, cv2.LINE_AA, 4)
    return tone + rng.choice([-1.5, 1.0]) * hair


def _pattern(rng, n):
    u, v = _turned(rng, n)
    kind = rng.integers(0, 11)
    if kind < 3:
        return 0.5 * noise(rng, n, rng.uniform(0.3, 1.8)), rng.uniform(0.1, 0.8)
    if kind == 3:
        return np.sign(np.sin(2 * np.pi * u / rng.uniform(3, 30)) + rng.uniform(-0.6, 0.6)), rng.uniform(0.1, 0.8)
    if kind == 4:
        checks = np.sign(np.sin(2 * np.pi * u / rng.uniform(4, 40))) * np.sign(np.sin(2 * np.pi * v / rng.uniform(4, 40)))
        return checks, rng.uniform(0.1, 0.8)
    if kind == 5:
        return _strokes(rng, n), rng.uniform(0.4, 1)
    if kind == 6:
        return _patches(rng, n), rng.uniform(0.1, 0.8)
    if kind == 7:
        return _shapes(rng, n), rng.uniform(0.2, 0.9)
    if kind == 8:
        return _spots(rng, n), rng.uniform(0.2, 0.8)
    if kind == 9:
        return _skin(rng, n), rng.uniform(0.05, 0.4)
    return np.zeros((n, n)), 0.0


def texture(rng, n):
    """One surface; a quarter of them carry lights of up to e⁴ (55 times white)."""
    base = rng.uniform(-2.8, 1.2) + rng.normal(0, 0.35, 3)
    tone, strength = _pattern(rng, n)
    u, _ = _turned(rng, n)
    slope = rng.normal(0, 0.006, 3) * rng.integers(0, 2)
    grain = rng.uniform(0, 0.15) * noise(rng, n, rng.uniform(0, 1))
    ln = base + strength * tone[..., None] * (1 + rng.normal(0, 0.3, 3)) + grain[..., None] + slope * u[..., None]
    light = np.exp(ln)
    if rng.random() < 0.25:
        y, x = np.mgrid[:n, :n].astype(np.float32)
        for _ in range(int(rng.integers(1, 12))):
            at, radius = rng.uniform(0, n, 2), rng.uniform(0.6, 4)
            disk = np.clip(radius + 0.5 - np.hypot(y - at[0], x - at[1]), 0, 1)
            light += np.exp(rng.uniform(1, 4) + rng.normal(0, 0.3, 3)) * disk[..., None]
    return light.astype(np.float32)
