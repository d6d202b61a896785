"""One training step of `implicam bench step`, written in PyTorch and timed: what eager PyTorch takes for the same work.

Reads the workload as JSON from standard input (bench/benchmarks/pytorch.ts), writes one JSON line: {"version", "device",
"secondsPerStep"}, or {"skipped"} with the reason. Left out, to PyTorch's advantage: the start pictures, all losses but the
squared difference, the weights of views, registration. docs/reference/MODEL.md has the equations.
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
config, capture, widths, levels = work["config"], work["capture"], work["widths"], work["levels"]
blur, train = config["blur"], config["train"]
frames, focus = capture["frames"], capture["focus"]
size = torch.tensor([capture["width"], capture["height"]], device=device)


def learned(values):
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float32, device=device))


def normalised(p):  # pixels → −1 … 1 along the long side
    return (2 * p - size) / size.max()


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


class Sine(torch.nn.Module):
    def __init__(self, omega):
        super().__init__()
        self.omega = omega

    def forward(self, x):
        return torch.sin(self.omega * x)


def network(widths, between=torch.nn.ReLU):
    layers = []
    for i, (a, b) in enumerate(zip(widths, widths[1:])):
        layers += ([between()] if i else []) + [torch.nn.Linear(a, b)]
    return torch.nn.Sequential(*layers).to(device)


class Atlas(torch.nn.Module):
    """ln radiance of the scene at pixels [N, 2]: a hash grid and a small network, or a SIREN (Sitzmann et al. 2020)."""

    def __init__(self):
        super().__init__()
        atlas = config["atlas"]
        if atlas["form"] == "siren":
            self.encode, self.net = normalised, network(widths["atlas"], lambda: Sine(atlas["omega"]))
        else:
            self.encode, self.net = HashGrid(levels["atlas"]), network(widths["atlas"])

    def forward(self, p):
        return self.net(self.encode(p)).clamp(-14, 8)


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


class Photographs(torch.nn.Module):
    """From ln radiance as the views show it to the loss on the frames: exposure, response, comparison."""

    def __init__(self, pixels):
        super().__init__()
        tone = config["tone"]
        self.tone = Knots(tone["knots"], tone["low"]) if tone["form"] == "knots" else Curves(tone["hidden"])
        self.view = torch.tensor([frame["focus"] for frame in frames], device=device)
        self.ev = learned([frame["ev"] for frame in frames]).requires_grad_(config["exposure"] != "known")
        self.target = torch.rand(3, len(frames), pixels, device=device)

    def forward(self, u):  # [3, views, pixels]
        z = u[:, self.view] + math.log(2) * self.ev[:, None]
        y = self.tone(z.flatten(1)).unflatten(1, (len(frames), -1))
        return ((y - self.target) ** 2).mean()


class FreeBlur(torch.nn.Module):
    """A network that makes the taps of a pixel from its position and the view's focus."""

    def __init__(self):
        super().__init__()
        self.net = network(widths["blur"])
        self.focus = learned(focus).requires_grad_(config["focus"] == "learned")
        axis = torch.arange(-1.0, 2, device=device)
        self.grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1).flatten(0, 1)
        self.moves = torch.arange(9, device=device)[:, None] != 4

    def forward(self, p):  # [N, 2] → positions [views, N, K, 2] and weights [views, N, K]
        taps = blur["taps"]
        at = normalised(p).expand(len(focus), -1, -1)
        out = self.net(torch.cat([self.focus[:, None, None].expand(-1, len(p), 1), at], 2))
        offset = torch.tanh(out[..., taps:]).unflatten(2, (taps, 2)) * blur["maxShift"]
        if blur["grid"]:
            offset = (offset + self.grid) * self.moves
        q = torch.minimum((p[:, None] + offset).clamp(min=0.5), size - 0.5)
        return q, out[..., :taps].softmax(2)


class ByPixels(torch.nn.Module):
    """Pixels drawn anywhere, in all views: a free blur, or none."""

    def __init__(self):
        super().__init__()
        self.atlas, self.photographs = Atlas(), Photographs(train["pixels"])
        self.blur = FreeBlur() if blur["form"] == "free" else None

    def forward(self):
        p = torch.rand(train["pixels"], 2, device=device) * size
        if self.blur is None:
            # Each view is asked for by itself, as where it is registered.
            light = self.atlas(p.expand(len(focus), -1, -1).flatten(0, 1)).unflatten(0, (len(focus), -1))
            return self.photographs(torch.log(light.exp() + 1e-8).permute(2, 0, 1))
        q, weight = self.blur(p)
        light = self.atlas(q.flatten(0, 2)).unflatten(0, weight.shape)
        if config["light"] == "log":
            return self.photographs((light * weight[..., None]).sum(2).permute(2, 0, 1))
        return self.photographs(torch.log((light.exp() * weight[..., None]).sum(2) + 1e-8).permute(2, 0, 1))


class ByPatches(torch.nn.Module):
    """The lens as a spread of every source pixel over its own disk, all frames of a patch."""

    def __init__(self):
        super().__init__()
        self.atlas, self.photographs = Atlas(), Photographs(train["patches"] * blur["patch"] ** 2)
        self.mapGrid, self.map = HashGrid(levels["map"]), network(widths["map"])
        self.focus = learned(focus).requires_grad_(config["focus"] == "learned")
        self.kappa = learned(math.log(capture["kappa"]))
        reach = blur["reach"]
        axis = torch.arange(-reach, reach + 1, device=device)
        distance = torch.hypot(axis[:, None].float(), axis[None].float()).flatten()
        self.keep = distance < reach + 0.5
        self.distance = distance[self.keep][:, None]

    def spread(self, circle, light):  # [V·B, n, n], [B, 3, n, n] → [V·B, 4, patch²]
        reach = blur["reach"]
        over = (circle**2).clamp(max=(reach - 0.6) ** 2)
        square = over**2 / (over + 2 / 3) + 0.25
        rho, inverse = square.sqrt(), 1 / (math.pi * (square + 1 / 12))
        near = lambda planes: torch.nn.functional.unfold(planes, 2 * reach + 1).unflatten(
            1, (planes.shape[1], -1)
        )[:, :, self.keep]
        weight = (near(rho[:, None]) + 0.5 - self.distance).clamp(0, 1) * near(inverse[:, None])
        planes = torch.cat([torch.ones_like(light[:, :1]), light], 1)
        # A product of small matrices (einsum) takes half as long again on a processor.
        weight = weight.unflatten(0, (-1, light.shape[0]))
        return (weight * near(planes)).sum(3).flatten(0, 1)

    def forward(self):
        patches = train["patches"]
        side = blur["patch"] + 2 * blur["reach"]
        corner = (torch.rand(patches, 1, 1, 2, device=device) * (size - side)).floor()
        axis = torch.arange(side, device=device)
        pixel = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1) + 0.5
        p = (corner + pixel).flatten(0, 2)
        light = self.atlas(p).exp().unflatten(0, (patches, side, side)).permute(0, 3, 1, 2)
        depth = self.map(self.mapGrid(p)).unflatten(0, (patches, side, side))[..., 0]
        circles = self.kappa.exp() * (depth - self.focus[:, None, None, None])
        sums = self.spread(circles.flatten(0, 1), light)
        u = torch.log(sums[:, 1:] / (sums[:, :1] + 1e-4) + 1e-8).unflatten(0, (len(focus), patches))
        return self.photographs(u.permute(2, 0, 1, 3).flatten(2))


model = (ByPatches() if blur["form"] == "lens" else ByPixels()).to(device)
optimizer = torch.optim.Adam(
    [p for p in model.parameters() if p.requires_grad], lr=1e-3, betas=(train["beta1"], train["beta2"]), eps=1e-15
)


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


# As bench/benchmarks/step.ts times its own: a step that touches memory, one that tells how many make a round, rounds of those.
seconds(1)
steps = max(1, round(0.25 / seconds(1)))
median = statistics.median(seconds(steps) for _ in range(9))
name = torch.cuda.get_device_name() if device.type == "cuda" else f"processor, {torch.get_num_threads()} threads"
print(json.dumps({"version": torch.__version__, "device": name, "secondsPerStep": median}))
