# SPDX-License-Identifier: Apache-2.0
# Photos and labels of BCCD, and the augmentation: all photos live on the training device as
# bytes, and whole batches of mosaics are cut out of them by one resampling call.
from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

WIDTH, HEIGHT = 640, 480  # every BCCD photo, and every drawn smear
CELLS_PER_PHOTO = 40
FILL = 114 / 255


@dataclass
class Photos:
    images: Tensor  # uint8 [P, 3, HEIGHT, WIDTH]
    boxes: Tensor  # float [P, CELLS_PER_PHOTO, 4], x1 y1 x2 y2 in photo pixels
    labels: Tensor  # int64 [P, CELLS_PER_PHOTO], -1 where there is no cell
    ids: list[int]

    def __len__(self) -> int:
        return self.images.shape[0]

    def to(self, device) -> Photos:
        return Photos(
            self.images.to(device), self.boxes.to(device), self.labels.to(device), self.ids
        )

    def __add__(self, other: Photos) -> Photos:
        return Photos(
            torch.cat((self.images, other.images)),
            torch.cat((self.boxes, other.boxes)),
            torch.cat((self.labels, other.labels)),
            self.ids + other.ids,
        )


def pack(images: list[np.ndarray], boxes: list, labels: list, ids: list[int]) -> Photos:
    """Photos from HxWx3 byte arrays and, per photo, lists of boxes and labels."""
    all_boxes = torch.zeros(len(images), CELLS_PER_PHOTO, 4)
    all_labels = torch.full((len(images), CELLS_PER_PHOTO), -1, dtype=torch.int64)
    for i, (photo_boxes, photo_labels) in enumerate(zip(boxes, labels)):
        n = min(len(photo_boxes), CELLS_PER_PHOTO)
        if n:
            all_boxes[i, :n] = torch.tensor(photo_boxes[:n], dtype=torch.float32)
            all_labels[i, :n] = torch.tensor(photo_labels[:n])
    pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).contiguous()
    return Photos(pixels, all_boxes, all_labels, ids)


def load_split(root: Path, split: str) -> Photos:
    """One split of BCCD: `root/instances_<split>.json` and `root/images/`."""
    coco = json.loads((root / f"instances_{split}.json").read_text())
    cells: dict[int, list] = {}
    for a in coco["annotations"]:
        cells.setdefault(a["image_id"], []).append(a)
    images, boxes, labels, ids = [], [], [], []
    for photo in sorted(coco["images"], key=lambda p: p["id"]):
        with Image.open(root / "images" / photo["file_name"]) as file:
            images.append(np.asarray(file.convert("RGB")))
        here = cells.get(photo["id"], [])
        boxes.append([(x, y, x + w, y + h) for x, y, w, h in (a["bbox"] for a in here)])
        labels.append([a["category_id"] - 1 for a in here])
        ids.append(photo["id"])
    return pack(images, boxes, labels, ids)


def letterbox(images: Tensor, side: int) -> tuple[Tensor, float, int, int]:
    """Byte photos to network input: bilinear without a smoothing filter, centred on grey 114.
    Also returns scale, left and top, which take network pixels back to photo pixels."""
    h, w = images.shape[-2:]
    scale = min(side / w, side / h)
    nw, nh = round(w * scale), round(h * scale)
    left, top = (side - nw) // 2, (side - nh) // 2
    small = F.interpolate(images.float(), (nh, nw), mode="bilinear", align_corners=False) / 255
    out = F.pad(small, (left, side - nw - left, top, side - nh - top), value=FILL)
    return out, scale, left, top


def uniform(shape, low, high, device) -> Tensor:
    return torch.empty(shape, device=device).uniform_(low, high)


def chance(shape, p: float, device) -> Tensor:
    return torch.rand(shape, device=device) < p


@dataclass
class Recipe:
    """How strongly a batch is changed."""

    mosaic: float = 0.7  # share of samples made of four photos
    drawn: float = 0.12  # share of photos that are drawn smears
    zoom: tuple[float, float] = (0.55, 1.4)
    tilt: float = 12.0  # degrees, on top of quarter turns
    quarter_turns: bool = True
    shift: float = 0.12
    colour: float = 1.0
    keep: float = 0.3  # a cut cell stays labelled while this share of it is visible


CLOSING = Recipe(
    mosaic=0.0, zoom=(0.85, 1.15), tilt=0.0, quarter_turns=False, shift=0.06, colour=0.5
)


class Batches:
    """Endless training batches of fixed shape, made on the device of the photos."""

    def __init__(self, real: Photos, drawn: Photos | None, side: int, batch: int, slots: int = 96):
        self.real, self.drawn_count = len(real), len(drawn) if drawn is not None else 0
        self.photos = real + drawn if drawn is not None else real
        self.side, self.batch, self.slots = side, batch, slots
        self.device = real.images.device

    def _pick(self, n: int, recipe: Recipe) -> Tensor:
        index = torch.randint(self.real, (n,), device=self.device)
        if self.drawn_count:
            fake = torch.randint(self.drawn_count, (n,), device=self.device) + self.real
            index = torch.where(chance(n, recipe.drawn, self.device), fake, index)
        return index

    def _matrices(self, n: int, recipe: Recipe) -> Tensor:
        """[n, 2, 2]: photo offsets to canvas offsets (zoom, turn, mirror)."""
        d = self.device
        zoom = uniform(n, math.log(recipe.zoom[0]), math.log(recipe.zoom[1]), d).exp()
        zoom = zoom * (self.side / WIDTH)
        angle = uniform(n, -1, 1, d) * math.radians(recipe.tilt) * chance(n, 0.5, d)
        if recipe.quarter_turns:
            angle = angle + torch.randint(4, (n,), device=d) * (math.pi / 2)
        mirror_x = torch.where(chance(n, 0.5, d), -1.0, 1.0)
        mirror_y = torch.where(chance(n, 0.5, d), -1.0, 1.0)
        c, s = angle.cos() * zoom, angle.sin() * zoom
        return torch.stack((c * mirror_x, -s * mirror_y, s * mirror_x, c * mirror_y), -1).view(
            n, 2, 2
        )

    def _tiles(self, tiles: int, recipe: Recipe) -> Tensor:
        """[batch, tiles, 4]: the part of the canvas that each photo fills."""
        b, side, d = self.batch, float(self.side), self.device
        if tiles == 1:
            return torch.tensor([0.0, 0.0, side, side], device=d).expand(b, 1, 4)
        split = uniform((b, 2), 0.3, 0.7, d).mul(side).round()
        split = torch.where(chance((b, 1), recipe.mosaic, d), split, split.new_full((), side))
        x, y = split.unbind(-1)
        zero, full = torch.zeros_like(x), torch.full_like(x, side)
        return torch.stack(
            (zero, zero, x, y, x, zero, full, y, zero, y, x, full, x, y, full, full), -1
        ).view(b, 4, 4)

    def draw(self, recipe: Recipe) -> tuple[Tensor, Tensor, Tensor]:
        """Images [batch, 3, side, side], boxes [batch, slots, 4] and labels [batch, slots]."""
        tiles = 4 if recipe.mosaic > 0 else 1
        n, d, side = self.batch * tiles, self.device, self.side
        rect = self._tiles(tiles, recipe)
        flat = rect.reshape(n, 4)
        matrix = self._matrices(n, recipe)
        index = self._pick(n, recipe)

        # The middle of the tile shows the photo point `look`: anywhere for a mosaic tile as long
        # as the photo covers the tile, near the photo's middle for a single photo.
        middle = (flat[:, :2] + flat[:, 2:]) / 2
        photo = torch.tensor([WIDTH, HEIGHT], dtype=torch.float32, device=d)
        zoom = torch.linalg.det(matrix).abs().sqrt()
        reach = (flat[:, 2:] - flat[:, :2]).amax(-1, keepdim=True) / zoom[:, None] / 2
        free = (photo / 2 - reach).clamp(min=0)
        single = (flat[:, 2:] - flat[:, :2]).amin(-1, keepdim=True) >= side
        free = torch.where(single, recipe.shift * photo, free)
        look = photo / 2 + uniform((n, 2), -1, 1, d) * free

        canvas = self._resample(index, matrix, middle, look).view(self.batch, tiles, 4, side, side)
        if tiles == 1:
            canvas = canvas[:, 0]
        else:
            x, y = rect[:, 0, 2], rect[:, 0, 3]
            at = torch.arange(side, device=d) + 0.5
            right = (at[None] > x[:, None])[:, None, None, :]
            below = (at[None] > y[:, None])[:, None, :, None]
            canvas = torch.where(
                below,
                torch.where(right, canvas[:, 3], canvas[:, 2]),
                torch.where(right, canvas[:, 1], canvas[:, 0]),
            )
        boxes, labels = self._move(index, matrix, middle, look, flat, recipe)
        shade, inside = canvas[:, :3], canvas[:, 3:]
        shade = shade / inside.clamp(min=1e-3)
        shade = recolour(shade, recipe.colour)
        return shade * inside + FILL * (1 - inside), boxes, labels

    def _resample(self, index: Tensor, matrix: Tensor, middle: Tensor, look: Tensor) -> Tensor:
        """[n, 4, side, side]: colour times coverage, and coverage."""
        back = torch.linalg.inv(matrix)
        at = torch.arange(self.side, device=self.device) + 0.5
        y, x = torch.meshgrid(at, at, indexing="ij")
        canvas = torch.stack((x, y), -1).view(1, -1, 2) - middle[:, None]
        grid = canvas @ back.transpose(1, 2) + look[:, None]
        grid = grid * torch.tensor([2 / WIDTH, 2 / HEIGHT], device=self.device) - 1
        pixels = self.photos.images[index].float() / 255
        pixels = torch.cat((pixels, torch.ones_like(pixels[:, :1])), dim=1)
        return F.grid_sample(
            pixels,
            grid.view(-1, self.side, self.side, 2),
            mode="bilinear",
            padding_mode="zeros",
            align_corners=False,
        )

    def _move(self, index, matrix, middle, look, rect, recipe: Recipe) -> tuple[Tensor, Tensor]:
        """Labels in canvas pixels. A tilted box is the frame of the ellipse in the photo's box,
        since cells are round: it stays tight."""
        boxes, labels = self.photos.boxes[index], self.photos.labels[index]
        centre = (boxes[..., :2] + boxes[..., 2:]) / 2 - look[:, None]
        half = (boxes[..., 2:] - boxes[..., :2]) / 2
        centre = centre @ matrix.transpose(1, 2) + middle[:, None]
        half = (half.square() @ matrix.square().transpose(1, 2)).sqrt()
        whole = torch.cat((centre - half, centre + half), -1)
        low, high = rect[:, None, :2], rect[:, None, 2:]
        cut = torch.cat(
            (whole[..., :2].maximum(low).minimum(high), whole[..., 2:].maximum(low).minimum(high)),
            -1,
        )
        size = cut[..., 2:] - cut[..., :2]
        seen = size.prod(-1) / (4 * half.prod(-1) + 1e-6)
        good = (labels >= 0) & (seen > recipe.keep) & (size.amin(-1) > 4)
        labels = torch.where(good, labels, -1).view(self.batch, -1)
        cut = cut.reshape(self.batch, -1, 4)
        order = (labels >= 0).float().argsort(dim=1, descending=True, stable=True)
        order = order[:, : min(self.slots, order.shape[1])]
        labels, cut = labels.gather(1, order), cut.gather(1, order[..., None].expand(-1, -1, 4))
        short = self.slots - labels.shape[1]
        if short:
            labels, cut = F.pad(labels, (0, short), value=-1), F.pad(cut, (0, 0, 0, short))
        return cut, labels


def recolour(x: Tensor, strength: float) -> Tensor:
    """Random stain and lamp: hue, saturation, gain, contrast, gamma; sometimes blur or noise."""
    n, d = x.shape[0], x.device

    def around(width: float) -> Tensor:
        return uniform((n, 1, 1, 1), -width, width, d) * strength

    luma = torch.tensor([0.299, 0.587, 0.114], device=d).view(1, 3, 1, 1)
    grey = (x * luma).sum(1, keepdim=True)
    turn, swing = around(0.20), around(0.5)
    # Hue: a rotation of the colour difference about the grey axis.
    axis = torch.full((3,), 1 / math.sqrt(3), device=d).view(1, 3, 1, 1)
    diff = x - grey
    cross = (diff.roll(-1, 1) * axis.roll(-2, 1) - diff.roll(-2, 1) * axis.roll(-1, 1)) * -1.0
    along = (diff * axis).sum(1, keepdim=True) * axis
    diff = diff * turn.cos() + cross * turn.sin() + along * (1 - turn.cos())
    x = grey + diff * (1 + swing)
    cast = 1 + uniform((n, 3, 1, 1), -0.06, 0.06, d) * strength
    x = x * cast * (1 + around(0.25))
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * (1 + around(0.25)) + mean
    x = x.clamp(1e-4, 1).pow((around(0.3)).exp())
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, 1)
    blur = uniform((n, 1, 1, 1), 0, 1, d) * chance((n, 1, 1, 1), 0.15 * strength, d)
    x = x + (soft - x) * blur
    noise = uniform((n, 1, 1, 1), 0, 0.05, d) * chance((n, 1, 1, 1), 0.15 * strength, d)
    return (x + torch.randn_like(x) * noise).clamp(0, 1)
