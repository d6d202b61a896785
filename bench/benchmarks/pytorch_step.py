"""One training step of `implicam bench step`, written in PyTorch and timed: what eager PyTorch takes for the same work.

Reads the workload as JSON from standard input (bench/benchmarks/pytorch.ts), writes one JSON line: {"version", "device",
"secondsPerStep"}, or {"skipped"} with the reason. Left out, to PyTorch's advantage: the losses on the maps, the weights of
views, registration.
"""
import json
import math
import statistics
import sys
import time

work = json.load(sys.stdin)
try:
    import torch
except ImportError:
    print(json.dumps({"skipped": "PyTorch is not installed for this python3"}))
    sys.exit()
if work["device"] == "cuda" and not torch.cuda.is_available():
    print(json.dumps({"skipped": f"PyTorch {torch.__version__} finds no CUDA device"}))
    sys.exit()
if work["device"] == "cpu":
    torch.set_num_threads(work["threads"])
device = torch.device(work["device"])
torch.manual_seed(1)


class HashGrid(torch.nn.Module):
    """Multiresolution hash grid: bilinear in tables of 2 features a node (Müller et al. 2022)."""

    def __init__(self, levels):
        super().__init__()
        column = lambda key: torch.tensor([level[key] for level in levels], device=device)
        self.nx, self.ny, self.nodes, self.hashed = column("nx"), column("ny"), column("nodes"), column("hashed") > 0
        self.scale = column("scale").float()
        self.first = torch.cumsum(self.nodes, 0) - self.nodes
        self.table = torch.nn.Parameter((torch.rand(int(self.nodes.sum()), 2, device=device) - 0.5) * 2e-4)

    def forward(self, p):  # [N, 2] pixels → [N, 2·levels]
        x, y = p[:, :1] * self.scale, p[:, 1:] * self.scale
        ix = torch.minimum(x.detach().long().clamp(min=0), self.nx - 2)
        iy = torch.minimum(y.detach().long().clamp(min=0), self.ny - 2)
        fx, fy = x - ix, y - iy
        sum_ = 0
        for dx in (0, 1):
            for dy in (0, 1):
                cx, cy = ix + dx, iy + dy
                hashed = (cx ^ (cy * 2654435761)) & (self.nodes - 1)
                node = torch.where(self.hashed, hashed, cy * self.nx + cx) + self.first
                weight = (fx if dx else 1 - fx) * (fy if dy else 1 - fy)
                sum_ = sum_ + self.table[node] * weight[..., None]
        return sum_.flatten(1)


def network(widths):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers += ([torch.nn.ReLU()] if i else []) + [torch.nn.Linear(a, b)]
    return torch.nn.Sequential(*layers).to(device)


class Knots(torch.nn.Module):
    """Monotone, piecewise linear response in ln exposure, a channel each."""

    def __init__(self, knots, low):
        super().__init__()
        self.low = low
        self.logits = torch.nn.Parameter(torch.zeros(3, knots - 1, device=device))

    def forward(self, z):  # [3, N]
        count = self.logits.shape[1]
        values = torch.nn.functional.pad(torch.cumsum(self.logits.softmax(1), 1), (1, 0))
        x = (z - self.low) * (count / -self.low)
        i = x.detach().clamp(0, count - 1).long()
        a, b = values.gather(1, i), values.gather(1, i + 1)
        return a + (b - a) * (x - i)


class Curves(torch.nn.Module):
    """The paper's response: a network a channel."""

    def __init__(self, hidden):
        super().__init__()
        self.nets = torch.nn.ModuleList([network([1, hidden, 1]) for _ in range(3)])

    def forward(self, z):
        return torch.cat([torch.sigmoid(2 * net(z[c][:, None])).T for c, net in enumerate(self.nets)])


class ByTaps(torch.nn.Module):
    """A free blur generator, one frame: K taps a pixel."""

    def __init__(self):
        super().__init__()
        self.grid, self.scene = HashGrid(work["atlasLevels"]), network(work["atlas"])
        self.blur, self.tone = network(work["blur"]), Curves(work["toneHidden"])
        self.target = torch.rand(3, work["pixels"], device=device)

    def forward(self):
        size = torch.tensor([work["width"], work["height"]], device=device)
        p = torch.rand(work["pixels"], 2, device=device) * size
        half = size.max() / 2
        out = self.blur(torch.cat([torch.zeros_like(p[:, :1]), (p - size / 2) / half], 1))
        weights = out[:, : work["taps"]].softmax(1)
        offsets = torch.tanh(out[:, work["taps"] :]).unflatten(1, (work["taps"], 2)) * work["maxShift"]
        taps = torch.minimum((p[:, None] + offsets).clamp(min=0.5), size - 0.5).flatten(0, 1)
        light = self.scene(self.grid(taps)).clamp(-14, 8).exp().unflatten(0, (-1, work["taps"]))
        u = torch.log((light * weights[..., None]).sum(1) + 1e-8).T
        return ((self.tone(u) - self.target) ** 2).mean()


class ByPatches(torch.nn.Module):
    """The lens as a spread of every source pixel over its own disk, two layers, all frames of a patch."""

    def __init__(self):
        super().__init__()
        self.grid, self.scene = HashGrid(work["atlasLevels"]), network(work["atlas"])
        self.mapGrid, self.map = HashGrid(work["mapLevels"]), network(work["map"])
        self.tone = Knots(work["knots"], work["toneLow"])
        self.ev = torch.nn.Parameter(torch.zeros(work["frames"], device=device))
        self.focus = torch.nn.Parameter(torch.tensor(work["focus"], dtype=torch.float32, device=device))
        self.kappa = torch.nn.Parameter(torch.tensor(math.log(work["kappa"]), device=device))
        reach = work["reach"]
        axis = torch.arange(-reach, reach + 1, device=device)
        distance = torch.hypot(axis[:, None].float(), axis[None].float()).flatten()
        self.keep = distance < reach + 0.5
        self.distance = distance[self.keep][:, None]
        self.target = torch.rand(work["frames"], 3, work["patches"] * work["patch"] ** 2, device=device)

    def spread(self, circle, values):  # [V·B, n, n], [B, C, n, n] → [V·B, C + 1, patch²]
        reach = work["reach"]
        over = (circle**2).clamp(max=(reach - 0.6) ** 2)
        square = over**2 / (over + 2 / 3) + 0.25
        rho, inverse = square.sqrt(), 1 / (math.pi * (square + 1 / 12))
        near = lambda planes: torch.nn.functional.unfold(planes, 2 * reach + 1).unflatten(
            1, (planes.shape[1], -1)
        )[:, :, self.keep]
        weight = (near(rho[:, None]) + 0.5 - self.distance).clamp(0, 1) * near(inverse[:, None])
        planes = torch.cat([torch.ones_like(values[:, :1]), values], 1)
        # A product of small matrices (einsum) takes half as long again on a processor.
        weight = weight.unflatten(0, (-1, values.shape[0]))
        return (weight * near(planes)).sum(3).flatten(0, 1)

    def forward(self):
        patches, reach = work["patches"], work["reach"]
        side = work["patch"] + 2 * reach
        size = torch.tensor([work["width"], work["height"]], device=device)
        corner = (torch.rand(patches, 1, 1, 2, device=device) * (size - side)).floor()
        axis = torch.arange(side, device=device)
        pixel = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1) + 0.5
        p = (corner + pixel).flatten(0, 2)
        planes = self.scene(self.grid(p)).unflatten(0, (patches, side, side)).permute(0, 3, 1, 2)
        maps = self.map(self.mapGrid(p)).unflatten(0, (patches, side, side))
        alpha = torch.sigmoid(planes[:, 6:7])
        back, front = planes[:, :3].clamp(-14, 8).exp(), alpha * planes[:, 3:6].clamp(-14, 8).exp()
        circles = self.kappa.exp() * (maps[None] - self.focus[:, None, None, None, None])
        b = self.spread(circles[..., 0].flatten(0, 1), back)
        f = self.spread(circles[..., 1].flatten(0, 1), torch.cat([alpha, front], 1))
        b, f = b[:, 1:] / (b[:, :1] + 1e-4), f[:, 1:] / (f[:, :1] + 1e-4)
        u = torch.log((1 - f[:, :1]) * b + f[:, 1:] + 1e-8)
        u = u.unflatten(0, (len(work["focus"]), patches)).permute(0, 2, 1, 3).flatten(2)  # [V, 3, pixels]
        each = work["frames"] // len(work["focus"])
        z = u.repeat_interleave(each, 0) + math.log(2) * self.ev[:, None, None]
        y = self.tone(z.transpose(0, 1).flatten(1)).unflatten(1, (work["frames"], -1)).transpose(0, 1)
        return ((y - self.target) ** 2).mean()


model = (ByTaps() if work["workload"] == "W" else ByPatches()).to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.99), eps=1e-15)


def seconds(steps):
    if device.type == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        optimizer.zero_grad(set_to_none=True)
        model().backward()
        optimizer.step()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


seconds(work["warmUp"])
median = statistics.median(seconds(work["steps"]) for _ in range(work["rounds"]))
name = torch.cuda.get_device_name() if device.type == "cuda" else f"processor, {torch.get_num_threads()} threads"
print(json.dumps({"version": torch.__version__, "device": name, "secondsPerStep": median}))
