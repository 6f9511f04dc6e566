# SPDX-License-Identifier: Apache-2.0
# Trains the blood cell detector from scratch on BCCD and drawn smears, measures it, and saves the
# averaged weights. The published model:
#   python train.py --data bccd --splits train,val --measure "" --steps 4000 --out run
from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from pathlib import Path

import torch
from torch import nn

from data import CLOSING, Batches, Recipe, load_split
from drawn import draw_smears
from evaluate import coco_figures, network_forward, predict
from loss import DetectionLoss
from network import Detector, Size


class Average:
    """Exponential moving average of every weight and running statistic."""

    def __init__(self, network: nn.Module, decay: float):
        self.decay, self.steps = decay, 0
        self.live = [t for t in network.state_dict().values() if t.is_floating_point()]
        self.mean = [t.clone() for t in self.live]

    @torch.no_grad()
    def update(self) -> None:
        self.steps += 1
        decay = self.decay * (1 - math.exp(-self.steps / 500))
        torch._foreach_lerp_(self.mean, self.live, 1 - decay)

    def network(self, size: Size, device) -> Detector:
        out = Detector(size).to(device)
        with torch.no_grad():
            floats = [t for t in out.state_dict().values() if t.is_floating_point()]
            for target, value in zip(floats, self.mean):
                target.copy_(value)
        return out.eval()


class Step:
    """One training step on fixed buffers; on a GPU it is recorded once and replayed."""

    def __init__(self, network, loss, optimizer, batches: Batches, graph: bool):
        self.network, self.loss, self.optimizer = network, loss, optimizer
        d, b, s = batches.device, batches.batch, batches.side
        self.images = torch.rand(b, 3, s, s, device=d).to(memory_format=torch.channels_last)
        self.boxes = torch.zeros(b, batches.slots, 4, device=d)
        self.labels = torch.full((b, batches.slots), -1, device=d)
        self.boxes[:, 0] = torch.tensor([s * 0.3, s * 0.3, s * 0.6, s * 0.6], device=d)
        self.labels[:, 0] = 0
        self.parts = torch.zeros(3, device=d)
        self.graph = None
        if graph:
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    self._run()
            torch.cuda.current_stream().wait_stream(side)
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self._run()

    def _run(self) -> None:
        self.optimizer.zero_grad(set_to_none=False)
        kind = self.images.device.type
        with torch.autocast(kind, torch.bfloat16, enabled=kind == "cuda", cache_enabled=False):
            outputs = self.network(self.images)
        loss, parts = self.loss(*outputs, self.boxes, self.labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 10.0, foreach=True)
        self.optimizer.step()
        self.parts.copy_(parts)

    def __call__(self, images, boxes, labels) -> None:
        self.images.copy_(images)
        self.boxes.copy_(boxes)
        self.labels.copy_(labels)
        self.graph.replay() if self.graph else self._run()


def optimizer_for(network: nn.Module, lr: float, decay: float, device) -> torch.optim.Optimizer:
    """AdamW; weight decay on convolution kernels only. The rate is a tensor so that a recorded
    step follows the schedule."""
    kernels = [p for p in network.parameters() if p.ndim > 1]
    others = [p for p in network.parameters() if p.ndim <= 1]
    on_gpu = device.type == "cuda"
    rate = torch.tensor(lr, device=device) if on_gpu else lr
    groups = [{"params": kernels, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.99), fused=on_gpu, capturable=on_gpu)


def train(args) -> None:
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    torch.backends.cudnn.benchmark = True
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    real = None
    for split in args.splits.split(","):
        part = load_split(args.data, split)
        real = part if real is None else real + part
    drawn = draw_smears(args.smears, args.seed + 1000).to(device) if args.smears else None
    batches = Batches(real.to(device), drawn, args.side, args.batch)
    size = Size(**json.loads(args.size))
    network = Detector(size).to(device, memory_format=torch.channels_last).train()
    parameters = sum(p.numel() for p in network.parameters())
    optimizer = optimizer_for(network, 0.0, args.decay, device)
    for p in network.parameters():
        p.grad = torch.zeros_like(p)
    step = Step(
        network,
        DetectionLoss(args.side, device),
        optimizer,
        batches,
        device.type == "cuda" and not args.eager,
    )
    average = Average(network, args.average)
    recipe = dataclasses.replace(Recipe(), **json.loads(args.recipe))
    closing = dataclasses.replace(CLOSING, drawn=recipe.drawn)
    watched = {s: load_split(args.data, s).to(device) for s in args.measure.split(",") if s}

    def measure() -> dict:
        forward = network_forward(average.network(size, device), args.side, device)
        return {
            s: coco_figures(predict(forward, photos, args.side), args.data / f"instances_{s}.json")
            for s, photos in watched.items()
        }

    start, log = time.time(), []
    close_at = int(args.steps * (1 - args.closing))
    for i in range(args.steps):
        warm = min(1.0, (i + 1) / args.warmup)
        rate = args.lr * warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * i / args.steps)))
        for group in optimizer.param_groups:
            if torch.is_tensor(group["lr"]):
                group["lr"].fill_(rate)
            else:
                group["lr"] = rate
        step(*batches.draw(recipe if i < close_at else closing))
        average.update()
        if (i + 1) % args.report == 0 or i + 1 == args.steps:
            row = {
                "step": i + 1,
                "seconds": round(time.time() - start, 1),
                "loss": [round(v, 3) for v in step.parts.tolist()],
                **measure(),
            }
            log.append(row)
            print(args.out.name, json.dumps(row), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    weights = average.network(size, "cpu").state_dict()
    torch.save(
        {"size": dataclasses.asdict(size), "side": args.side, "weights": weights},
        args.out / "weights.pt",
    )
    settings = {k: str(v) if isinstance(v, Path) else v for k, v in vars(args).items()}
    result = {"settings": settings, "parameters": parameters, "log": log}
    (args.out / "run.json").write_text(json.dumps(result, indent=1))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True, help="made by prepare.py")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--splits", default="train", help="what to train on")
    parser.add_argument("--measure", default="val", help="what to measure on, or empty")
    parser.add_argument("--side", type=int, default=416)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--warmup", type=int, default=300)
    parser.add_argument("--closing", type=float, default=0.12, help="share of steps without mosaic")
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--decay", type=float, default=0.05)
    parser.add_argument("--average", type=float, default=0.999)
    parser.add_argument("--smears", type=int, default=400, help="drawn smears to prepare")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="{}", help="changes to network.Size, as JSON")
    parser.add_argument("--recipe", default="{}", help="changes to data.Recipe, as JSON")
    parser.add_argument("--report", type=int, default=1000)
    parser.add_argument("--eager", action="store_true", help="record no CUDA graph")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    train(parser.parse_args())


if __name__ == "__main__":
    main()
