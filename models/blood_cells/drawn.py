# SPDX-License-Identifier: Apache-2.0
# Drawn blood smears with exact labels: a pale lit field, pink biconcave discs, white cells with
# lobed violet nuclei, and small violet platelets. A share of the training samples is drawn, so
# that the detector finds its cells in synthetic pictures too.
from __future__ import annotations

import numpy as np

from data import HEIGHT, WIDTH, Photos, pack

RBC, WBC, PLATELET = range(3)


def smooth(x):
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


def colour(rng, low, high):
    return rng.uniform(low, high).astype(np.float32)


def ripple(rng, angle, amount):
    """A slightly uneven outline: radius factor by angle."""
    out = np.ones_like(angle)
    for k in range(2, 5):
        out += amount / (k - 1) * rng.uniform(-1, 1) * np.cos(k * angle + rng.uniform(0, 2 * np.pi))
    return out


class Canvas:
    def __init__(self, rng):
        self.rng = rng
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        base = colour(rng, [0.78, 0.72, 0.68], [0.97, 0.94, 0.92])
        if rng.random() < 0.3:
            base[:] = base.mean() + rng.uniform(-0.03, 0.03, 3)
        cx, cy = WIDTH * rng.uniform(0.35, 0.65), HEIGHT * rng.uniform(0.35, 0.65)
        far = ((x - cx) / WIDTH) ** 2 + ((y - cy) / HEIGHT) ** 2
        self.light = 1 - rng.uniform(0, 0.55) * far[..., None]
        coarse = rng.normal(0, rng.uniform(0, 0.012), (HEIGHT // 40 + 2, WIDTH // 40 + 2, 1))
        coarse = coarse.repeat(40, 0).repeat(40, 1)[20 : 20 + HEIGHT, 20 : 20 + WIDTH]
        for axis in (0, 1):  # two box blurs make the patches soft
            coarse = sum(np.roll(coarse, s, axis) for s in range(-20, 21, 4)) / 11
        self.pixels = (base + coarse).astype(np.float32)
        self.boxes, self.labels = [], []

    def window(self, cx, cy, reach):
        x0, x1 = max(int(cx - reach), 0), min(int(cx + reach) + 1, WIDTH)
        y0, y1 = max(int(cy - reach), 0), min(int(cy + reach) + 1, HEIGHT)
        if x0 >= x1 or y0 >= y1:
            return None
        y, x = np.mgrid[y0:y1, x0:x1].astype(np.float32) + 0.5
        return (slice(y0, y1), slice(x0, x1)), x - cx, y - cy

    def paint(self, where, tint, cover):
        part = self.pixels[where]
        part += (tint - part) * cover[..., None]

    def label(self, where, cover, kind, whole, keep=0.35):
        """Boxes a cell from what was painted, if enough of its `whole` area lies in the picture."""
        ys, xs = np.nonzero(cover > 0.4)
        if len(ys) < 30 or len(ys) < keep * whole:
            return
        y0, x0 = where[0].start, where[1].start
        self.boxes.append((x0 + xs.min(), y0 + ys.min(), x0 + xs.max() + 1, y0 + ys.max() + 1))
        self.labels.append(kind)

    def disc(self, cx, cy, radius, style):
        rng = self.rng
        a, b = radius * rng.uniform(0.9, 1.08), radius * rng.uniform(0.9, 1.08)
        if rng.random() < style["ovals"]:
            b *= rng.uniform(0.65, 0.9)
        view = self.window(cx, cy, radius * 1.4)
        if view is None:
            return
        where, x, y = view
        t = rng.uniform(0, np.pi)
        u, v = x * np.cos(t) + y * np.sin(t), y * np.cos(t) - x * np.sin(t)
        r = np.hypot(u / a, v / b) / ripple(rng, np.arctan2(v, u), style["ripple"])
        edge = smooth((1 - r) * radius / style["soft"])
        hole = rng.uniform(0.25, 0.6) * style["hole"]
        pale = smooth((hole - r) / rng.uniform(0.06, 0.16)) * style["pale"] * rng.uniform(0.6, 1.1)
        if rng.random() < 0.1:
            pale *= 0
        rim = np.exp(-(((r - 0.93) / 0.07) ** 2)) * style["rim"]
        tone = style["red"] + rng.normal(0, 0.02, 3)
        tint = tone * (1 - rim[..., None]) - 0.03 * (1 - r[..., None] ** 2) * style["dome"]
        self.paint(where, tint, edge * np.clip(style["dense"] * (1 - pale), 0, 1))
        self.label(where, edge, RBC, np.pi * a * b)

    def white(self, cx, cy, radius, style):
        rng = self.rng
        view = self.window(cx, cy, radius * 1.4)
        if view is None:
            return
        where, x, y = view
        angle = np.arctan2(y, x)
        r = np.hypot(x, y * rng.uniform(0.9, 1.12)) / radius / ripple(rng, angle, 0.05)
        edge = smooth((1 - r) * radius / style["soft"])
        plasm = colour(rng, [0.68, 0.60, 0.72], [0.92, 0.84, 0.94])
        grain = rng.normal(0, rng.uniform(0, 0.05), x.shape)[..., None]
        rim = np.exp(-(((r - 0.94) / 0.06) ** 2))[..., None] * rng.uniform(0, 0.12)
        self.paint(where, plasm + grain - rim, edge * rng.uniform(0.6, 1.0))
        violet = colour(rng, [0.30, 0.12, 0.45], [0.52, 0.36, 0.72])
        lobes = rng.integers(1, 6)
        field = np.zeros_like(x)
        start, span = rng.uniform(0, 2 * np.pi), rng.uniform(0.7, 1.4)
        for k in range(lobes):
            turn = start + k * span
            away = 0 if lobes == 1 else radius * rng.uniform(0.28, 0.45)
            size = radius * (rng.uniform(0.55, 0.85) if lobes == 1 else rng.uniform(0.26, 0.42))
            dx, dy = x - away * np.cos(turn), y - away * np.sin(turn)
            t, stretch = rng.uniform(0, np.pi), rng.uniform(0.8, 1.25)
            u, v = dx * np.cos(t) + dy * np.sin(t), dy * np.cos(t) - dx * np.sin(t)
            field = np.maximum(field, smooth((1 - np.hypot(u / size, v / size * stretch)) * 12))
        mottle = rng.normal(0, 0.03, (x.shape[0] // 6 + 1, x.shape[1] // 6 + 1, 1))
        mottle = mottle.repeat(6, 0).repeat(6, 1)[: x.shape[0], : x.shape[1]]
        self.paint(where, violet + mottle, field * edge * rng.uniform(0.8, 1.0))
        self.label(where, edge, WBC, np.pi * radius**2)

    def platelet(self, cx, cy, radius, style):
        rng = self.rng
        view = self.window(cx, cy, radius * 1.6)
        if view is None:
            return
        where, x, y = view
        r = np.hypot(x, y * rng.uniform(0.75, 1.3)) / radius / ripple(rng, np.arctan2(y, x), 0.12)
        edge = smooth((1 - r) * radius / (style["soft"] * rng.uniform(0.8, 2.5)))
        tint = colour(rng, [0.42, 0.28, 0.52], [0.74, 0.62, 0.84])
        self.paint(where, tint, edge * rng.uniform(0.6, 1.0))
        for _ in range(rng.integers(0, 6)):
            t, away, size = (
                rng.uniform(0, 6.3),
                radius * rng.uniform(0, 0.6),
                radius * rng.uniform(0.15, 0.4),
            )
            spot = smooth((size - np.hypot(x - away * np.cos(t), y - away * np.sin(t))) * 1.5)
            self.paint(where, tint * rng.uniform(0.5, 0.85), spot * edge)
        self.label(where, edge, PLATELET, np.pi * radius**2)

    def finish(self):
        rng = self.rng
        out = self.pixels * self.light
        if rng.random() < 0.5:
            out = (out + np.roll(out, 1, 0) + np.roll(out, 1, 1) + np.roll(out, (1, 1), (0, 1))) / 4
        out = out + rng.normal(0, rng.uniform(0, 0.02), out.shape)
        return (np.clip(out, 0, 1) * 255 + 0.5).astype(np.uint8)


def draw_smear(rng) -> tuple[np.ndarray, list, list]:
    canvas = Canvas(rng)
    style = {
        "red": colour(rng, [0.72, 0.46, 0.44], [0.93, 0.70, 0.70]),
        "ovals": rng.uniform(0, 0.3),
        "ripple": rng.uniform(0, 0.05),
        "soft": rng.uniform(0.8, 2.5),
        "hole": rng.uniform(0.7, 1.2),
        "pale": rng.uniform(0.3, 0.95),
        "rim": rng.uniform(0, 0.25),
        "dome": rng.uniform(0, 2),
        "dense": rng.uniform(0.75, 1.0),
    }
    radius = rng.uniform(38, 62)
    taken: list[tuple[float, float, float]] = []

    def place(size, margin, crowd):
        for _ in range(40):
            cx = rng.uniform(-margin, WIDTH + margin)
            cy = rng.uniform(-margin, HEIGHT + margin)
            if all(np.hypot(cx - x, cy - y) > (size + s) * crowd for x, y, s in taken):
                taken.append((cx, cy, size))
                return cx, cy
        return None

    whites = [
        radius * rng.uniform(1.4, 2.2) for _ in range(rng.choice(4, p=[0.15, 0.55, 0.2, 0.1]))
    ]
    white_spots = [(s, place(s, 0, 1.0)) for s in whites]
    crowd = rng.uniform(0.75, 1.05)
    for _ in range(rng.integers(4, 30)):
        size = radius * rng.uniform(0.85, 1.15)
        spot = place(size, radius * 0.4, crowd)
        if spot:
            canvas.disc(*spot, size, style)
    for size, spot in white_spots:
        if spot:
            canvas.white(*spot, size, style)
    for _ in range(rng.integers(0, 9)):
        size = rng.uniform(8, 26)
        spot = place(size, 0, 0.95)
        if spot:
            canvas.platelet(*spot, size, style)
    return canvas.finish(), canvas.boxes, canvas.labels


def draw_smears(count: int, seed: int) -> Photos:
    rng = np.random.default_rng(seed)
    smears = [draw_smear(rng) for _ in range(count)]
    return pack(
        [s[0] for s in smears], [s[1] for s in smears], [s[2] for s in smears], [-1] * count
    )
