"""Writes the kept weights of a checkpoint as ../edges.safetensors, in 16-bit floats.

    python3 export.py FOLDER [FILE]
"""
import json
import os
import re
import struct
import sys

import numpy as np
import torch


def export(folder, target):
    saved = torch.load(os.path.join(folder, "checkpoint.pt"), map_location="cpu")
    with open(os.path.join(folder, "log.txt")) as log:
        last = [line for line in log if line.startswith("step")][-1].strip()
    header = {"__metadata__": {"trained": re.sub(r" CPU.*", "", last)}}
    parts, end = [], 0
    for name, tensor in sorted(saved["kept"].items()):
        halves = tensor.numpy().astype("<f2")
        header[name] = {"dtype": "F16", "shape": list(halves.shape), "data_offsets": [end, end + halves.nbytes]}
        parts.append(np.ascontiguousarray(halves).tobytes())
        end += halves.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(target, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
    print(f"{target}: {8 + len(text) + end} bytes, {last}")


if __name__ == "__main__":
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "edges.safetensors")
    export(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else beside)
