"""The network, as ../network.ts defines it, in a form that can be trained."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from scenes import MU

FINE, COARSE = 44, 52
LOG = float(torch.log1p(torch.tensor(MU, dtype=torch.float64)))
"""Levels are added until the outer views' circle is at most this many pixels."""
SMALL_CIRCLE = 2.6
"""Circles given to the network are limited to this."""
LARGEST_SPAN = 8.0


def _leaky(x):
    return F.leaky_relu(x, 0.1)


def _conv(inputs, outputs, kernel=3, **options):
    return nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2 * options.get("dilation", 1), **options)


def halved(views):
    """Means of 2 × 2 in linear light."""
    b, v, c, h, w = views.shape
    light = F.avg_pool2d(torch.expm1(views * LOG).reshape(b, v * c, h, w), 2)
    return (torch.log1p(light) / LOG).reshape(b, v, c, h // 2, w // 2)


def levels_of(spans):
    levels, widest = 1, float(spans.abs().max())
    while widest > SMALL_CIRCLE:
        widest, levels = widest / 2, levels + 1
    return levels


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.enter = _conv(54, FINE)
        self.before = nn.ModuleList([_conv(FINE, FINE) for _ in range(2)])
        self.down = _conv(FINE, COARSE, stride=2)
        self.middle = nn.ModuleList([_conv(COARSE, COARSE), _conv(COARSE, COARSE, dilation=2), _conv(COARSE, COARSE)])
        self.up = _conv(COARSE, FINE, 1)
        self.after = nn.ModuleList([_conv(FINE, FINE) for _ in range(2)])
        self.leave = _conv(FINE, 28)
        with torch.no_grad():
            self.leave.weight *= 0.1

    def level(self, views, spans, picture, depth):
        """views [b, 3, 3, h, w] by the μ-law curve, spans [b, 2] in pixels of this level; the coarser level's picture
        [b, 3, h, w] and depth [b, 1, h, w], enlarged → the same of this level."""
        height, width = views.shape[-2:]
        mean = views.mean(1)
        seen = [4 * (views[:, 0] - mean), 4 * (views[:, 2] - mean), 2 * mean - 1, 4 * (picture - mean), depth]
        x = F.pixel_unshuffle(torch.cat(seen, 1), 2)
        given = (spans.clamp(-LARGEST_SPAN, LARGEST_SPAN) / 4)[:, :, None, None].expand(-1, -1, height // 2, width // 2)
        x = _leaky(self.enter(torch.cat([x, given], 1)))
        for layer in self.before:
            x = x + _leaky(layer(x))
        y = _leaky(self.down(x))
        for layer in self.middle:
            y = y + _leaky(layer(y))
        x = x + F.interpolate(self.up(y), size=x.shape[-2:], mode="bilinear", align_corners=False)
        for layer in self.after:
            x = x + _leaky(layer(x))
        o = F.pixel_shuffle(self.leave(x), 2)
        choice = torch.softmax(4 * o[:, :3], 1)
        return (choice[:, :, None] * views).sum(1) + 0.5 * o[:, 3:6], o[:, 6:7]

    def forward(self, views, spans, levels):
        """Gradients pass through the finest level alone: every level is the finest for some batches."""
        if levels == 1:
            mean = views.mean(1)
            return self.level(views, spans, mean, torch.zeros_like(mean[:, :1]))
        with torch.no_grad():
            coarse = self.forward(halved(views), spans / 2, levels - 1)
        picture, depth = (
            F.interpolate(plane, size=views.shape[-2:], mode="bilinear", align_corners=False) for plane in coarse
        )
        return self.level(views, spans, picture, depth)
