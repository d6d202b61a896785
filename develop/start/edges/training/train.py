"""Trains the network on random scenes.

    python3 train.py FOLDER --steps 24000

FOLDER gets the scenes (scenes-*.npz, made with scenes.py), checkpoint.pt, from which the same command goes on, and
log.txt. One thread does, and about 1 GB for every 2000 scenes.
"""
import argparse
import glob
import os
import time

import numpy as np
import torch

from network import Network, levels_of
from scenes import MU, scenes

BATCH = 3
RATE = 1e-3
WARM = 200
"""Left out of the loss: what the borders of a scene hide from the network, the whole picture would show."""
BORDER = 6
"""How slowly the kept weights follow the trained ones."""
AVERAGING = 0.9985
VALIDATION = 120


class Scenes:
    """All scenes of a folder; new files are taken up as they come."""

    def __init__(self, folder):
        self.folder, self.seen, self.parts = folder, set(), []
        self.look()

    def look(self):
        for file in sorted(glob.glob(os.path.join(self.folder, "scenes-*.npz"))):
            if file not in self.seen:
                with np.load(file) as data:
                    self.parts.append({key: data[key] for key in data.files})
                self.seen.add(file)
        self.ends = np.cumsum([len(part["spans"]) for part in self.parts])

    def __len__(self):
        return int(self.ends[-1]) if self.parts else 0

    def __getitem__(self, i):
        k = int(np.searchsorted(self.ends, i, side="right"))
        at = i - (self.ends[k - 1] if k else 0)
        return {key: value[at].astype(np.float32) for key, value in self.parts[k].items()}


def varied(rng, one):
    """The scene mirrored, turned, in other colours and another brightness; κ and the order not quite as they were."""
    views, truth, depth, shares = one["views"], one["truth"], one["depth"], one["shares"]
    spans = one["spans"]
    # Depth in units of the wider span, limited: far beyond the three views it cannot be told.
    depth = np.clip(depth / max(np.abs(spans).max(), 1e-3), -1.5, 1.5)
    colours = rng.permutation(3)
    views, truth = views[..., colours], truth[..., colours]
    if rng.random() < 0.5:
        views, truth, depth, shares = views[:, ::-1], truth[::-1], depth[::-1], shares[::-1]
    if rng.random() < 0.5:
        views, truth, depth, shares = views[:, :, ::-1], truth[:, ::-1], depth[:, ::-1], shares[:, ::-1]
    if rng.random() < 0.5:
        views, truth, depth, shares = views.transpose(0, 2, 1, 3), truth.transpose(1, 0, 2), depth.T, shares.T
    if rng.random() < 0.5:
        gain = np.exp(rng.uniform(-2, 0.4))
        brighter = lambda y: np.log1p(gain * np.expm1(y * np.log1p(MU))) / np.log1p(MU)
        views, truth = brighter(views), brighter(truth)
    if rng.random() < 0.04:
        views, depth, spans = views[::-1], -depth, -spans[::-1]
    if rng.random() < 0.7:
        spans = spans * rng.uniform(0.8, 1.2)
    return views.transpose(0, 3, 1, 2), truth.transpose(2, 0, 1), depth, shares, spans


def batch_of(rng, data):
    parts = zip(*(varied(rng, data[int(rng.integers(len(data)))]) for _ in range(BATCH)))
    return [torch.from_numpy(np.ascontiguousarray(np.stack(part), np.float32)) for part in parts]


def loss_of(out, depth, truth, wanted, shares):
    inner = np.s_[..., BORDER:-BORDER, BORDER:-BORDER]
    shares = shares[inner] / shares[inner].mean()
    error = (out - truth)[inner]
    off = (depth[:, 0] - wanted)[inner].abs()
    off = torch.where(off < 0.5, off, 0.5 + 0.2 * (off - 0.5))
    square = (error * error).mean(1)
    loss = ((square + 0.02 * error.abs().mean(1) + 0.004 * off) * shares).mean()
    return loss, float((square.detach() * shares).mean())


def decibel(errors):
    return -10 * np.log10(np.mean(errors))


@torch.no_grad()
def validate(network, data):
    """Mean dB over scenes of the network, of the sharpest view by truth, and how often the network is better."""
    net, best = [], []
    for i in range(len(data)):
        one = data[i]
        inner = np.s_[..., BORDER:-BORDER, BORDER:-BORDER]
        views = torch.from_numpy(one["views"].transpose(0, 3, 1, 2).copy())[None]
        truth = torch.from_numpy(one["truth"].transpose(2, 0, 1).copy())[None]
        mine = torch.from_numpy(one["shares"] > 0.5)[inner]
        spans = torch.from_numpy(one["spans"])[None]
        out, _ = network(views, spans, min(3, levels_of(spans)))
        net.append(float(((out - truth) ** 2).mean(1)[0][inner][mine].mean()))
        best.append(float(((views - truth[:, None]) ** 2).mean(2).min(1)[0][0][inner][mine].mean()))
    each = lambda errors: np.mean([decibel(e) for e in errors])
    return each(net), each(best), float(np.mean(np.array(net) < np.array(best)))


def rate_at(step, steps, decay):
    """Constant after a warm-up, then down to nothing over the last `decay` steps."""
    return RATE * min(1, (step + 1) / WARM) * min(1, max(0.01, (steps - step) / decay))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--steps", type=int, default=24000)
    parser.add_argument("--decay", type=int, default=8000)
    parser.add_argument("--every", type=int, default=1000, help="steps between checkpoints")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    checkpoint = os.path.join(options.folder, "checkpoint.pt")
    network, kept = Network().to(memory_format=torch.channels_last), Network().to(memory_format=torch.channels_last)
    kept.load_state_dict(network.state_dict())
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.9, 0.99))
    step = 0
    if os.path.exists(checkpoint):
        saved = torch.load(checkpoint)
        network.load_state_dict(saved["network"])
        kept.load_state_dict(saved["kept"])
        optimizer.load_state_dict(saved["optimizer"])
        step = saved["step"]
    data, held = Scenes(options.folder), scenes(2, VALIDATION)
    held = [{key: value[i].astype(np.float32) for key, value in held.items()} for i in range(VALIDATION)]
    log = open(os.path.join(options.folder, "log.txt"), "a", buffering=1)
    errors, began = [], time.process_time()
    while step < options.steps:
        rng = np.random.default_rng([3, step])
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, options.steps, options.decay)
        views, truth, wanted, shares, spans = batch_of(rng, data)
        levels = int(np.clip(levels_of(spans) + rng.integers(-1, 2), 1, 3))
        out, depth = network(views, spans, levels)
        loss, error = loss_of(out, depth, truth, wanted, shares)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 0.05)
        optimizer.step()
        errors.append(error)
        step += 1
        with torch.no_grad():
            share = min(AVERAGING, (step + 1) / (step + 10))
            for a, b in zip(kept.parameters(), network.parameters()):
                a.lerp_(b, 1 - share)
        if step % options.every == 0 or step == options.steps:
            net, best, wins = validate(kept, held)
            print(
                f"step {step} train {decibel(errors):.2f} dB validation {net:.2f} (best view by truth {best:.2f},"
                f" better in {100 * wins:.0f} %) scenes {len(data)} CPU {time.process_time() - began:.0f} s",
                file=log,
            )
            errors = []
            saved = dict(network=network.state_dict(), kept=kept.state_dict(), optimizer=optimizer.state_dict(), step=step)
            torch.save(saved, checkpoint + ".part")
            os.replace(checkpoint + ".part", checkpoint)
            data.look()


if __name__ == "__main__":
    main()
