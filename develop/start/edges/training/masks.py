"""Random outlines: opacity [n, n] in 0 … 1 with antialiased rims."""
import cv2
import numpy as np

from textures import noise


class _Canvas:
    def __init__(self, n):
        self.plane = np.zeros((n, n), np.uint8)

    def polygon(self, points):
        cv2.fillPoly(self.plane, [np.round(np.array(points) * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)

    def line(self, p, q, width):
        p, q = np.array(p, float), np.array(q, float)
        along = (q - p) / (np.linalg.norm(q - p) + 1e-9)
        across = np.array([-along[1], along[0]]) * width / 2
        self.polygon([p + across, q + across, q - across, p - across])


def _axes(angle):
    along = np.array([np.cos(angle), np.sin(angle)])
    return along, np.array([-along[1], along[0]])


def _polygons(rng, n, canvas):
    for _ in range(int(rng.integers(1, 3))):
        centre, corners = rng.uniform(0, n, 2), int(rng.integers(3, 9))
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radii = rng.uniform(0.1, 0.5) * n * rng.uniform(0.5, 1, corners)
        canvas.polygon([centre + r * np.array([np.cos(a), np.sin(a)]) for r, a in zip(radii, angles)])


def _ellipses(rng, n, canvas):
    for _ in range(int(rng.integers(1, 4))):
        at = tuple(int(v * 16) for v in rng.uniform(0, n, 2))
        axes = tuple(int(v * 16) for v in rng.uniform(0.03, 0.35, 2) * n)
        cv2.ellipse(canvas.plane, at, axes, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA, 4)


def _bars(rng, n, canvas):
    along, across = _axes(rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.choice([0, np.pi / 2]))
    width = np.exp(rng.uniform(-0.2, 2.6))
    step = width * rng.uniform(2, 8) + rng.uniform(0, 20)
    centre = np.array([n / 2, n / 2])
    for k in range(-int(n / step) - 1, int(n / step) + 2):
        if rng.random() < 0.9:
            canvas.line(centre + across * k * step - along * n, centre + across * k * step + along * n, width)
    if rng.random() < 0.4:
        for k in range(-2, 3):
            at = centre + along * k * step * 3
            canvas.line(at - across * n, at + across * n, width * rng.uniform(0.7, 1.5))


def _branches(rng, n, canvas):
    for _ in range(int(rng.integers(1, 5))):
        p, a, width = rng.uniform(0, n, 2), rng.uniform(0, 2 * np.pi), np.exp(rng.uniform(-0.3, 2))
        for _ in range(int(rng.integers(3, 10))):
            q = p + rng.uniform(8, 30) * np.array([np.cos(a), np.sin(a)])
            canvas.line(p, q, width)
            p, a, width = q, a + rng.normal(0, 0.35), max(0.6, 0.9 * width)


def _leaves(rng, n, canvas):
    t = np.linspace(0, 1, 9)
    bulge = np.sin(np.pi * t**0.8)
    for _ in range(int(rng.integers(4, 40))):
        base, (along, across) = rng.uniform(0, n, 2), _axes(rng.uniform(0, 2 * np.pi))
        length = np.exp(rng.uniform(1.5, 3.3))
        width = length * rng.uniform(0.2, 0.5)
        one = [base + along * length * k + across * width * b for k, b in zip(t, bulge)]
        other = [base + along * length * k - across * width * b for k, b in zip(t[::-1], bulge[::-1])]
        canvas.polygon(one + other)


def _half(rng, n, canvas):
    along, across = _axes(rng.uniform(0, 2 * np.pi))
    at = rng.uniform(0.2, 0.8, 2) * n
    far = at + along * 2 * n
    canvas.polygon([at - across * 2 * n, at + across * 2 * n, far + across * 2 * n, far - across * 2 * n])


def _letters(rng, n, canvas):
    word = "".join(chr(rng.integers(65, 91)) for _ in range(4))
    at = (int(rng.integers(-20, n // 2)), int(rng.integers(n // 3, n)))
    cv2.putText(canvas.plane, word, at, int(rng.integers(0, 4)), rng.uniform(1, 4), 255, int(rng.integers(1, 9)), cv2.LINE_AA)


def _clouds(rng, n, canvas):
    field = noise(rng, n, rng.uniform(1.5, 2.2)) * rng.uniform(2, 8) - rng.uniform(0, 4)
    canvas.plane = (255 * np.clip(field, 0, 1)).astype(np.uint8)


_KINDS = [_polygons, _ellipses, _bars, _branches, _leaves, _half, _letters, _clouds]


def mask(rng, n):
    """One outline; 15 % are holes, 12 % are translucent."""
    canvas = _Canvas(n)
    _KINDS[rng.integers(0, len(_KINDS))](rng, n, canvas)
    opacity = canvas.plane.astype(np.float32) / 255
    if rng.random() < 0.15:
        opacity = 1 - opacity
    if rng.random() < 0.12:
        opacity *= np.clip(rng.uniform(0.3, 0.9) + 0.1 * noise(rng, n, 1.5), 0, 1)
    return opacity.astype(np.float32)
