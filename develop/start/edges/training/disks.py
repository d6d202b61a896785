"""Source-side defocus in C++, compiled at first use into a folder for passing files."""
import ctypes
import hashlib
import os
import subprocess
import tempfile

import numpy as np

MOST = 26.0
_HERE = os.path.dirname(os.path.abspath(__file__))


def _library():
    source = os.path.join(_HERE, "disks.cpp")
    with open(source, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    target = os.path.join(tempfile.gettempdir(), f"implicam-disks-{digest}.so")
    if not os.path.exists(target):
        part = f"{target}.{os.getpid()}"
        flags = ["-std=gnu++17", "-O3", "-march=native", "-ffast-math", "-Wno-psabi", "-shared", "-fPIC"]
        subprocess.run([os.environ.get("CXX", "g++"), *flags, source, "-o", part], check=True)
        os.replace(part, target)
    library = ctypes.CDLL(target)
    plane = np.ctypeslib.ndpointer(np.float32, flags="C")
    library.spread.argtypes = [plane, plane, ctypes.c_int, ctypes.c_int, plane]
    library.prepare(ctypes.c_float(MOST))
    return library


_LIBRARY = _library()


def spread(light, radii):
    """light [h, w, c ≤ 7], radii [h, w] in pixels → (light spread, share of a pixel's own kind that arrives [h, w, 1])."""
    height, width, channels = light.shape
    lanes = np.zeros((height, width, 8), np.float32)
    lanes[..., :channels] = light
    lanes[..., 7] = 1
    out = np.zeros_like(lanes)
    radii = np.ascontiguousarray(np.minimum(radii, MOST), np.float32)
    _LIBRARY.spread(lanes, radii, height, width, out)
    return out[..., :channels], np.maximum(out[..., 7:], 1e-6)
