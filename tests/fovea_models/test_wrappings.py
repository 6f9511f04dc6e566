# SPDX-License-Identifier: Apache-2.0
"""Which weights of a file are taken when it wraps them, holds several sets of them, or neither."""
import sys
import tempfile
import types
import unittest
from pathlib import Path

import torch
from torch import nn

from fovea_models import checkpoint


def network():
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Conv2d(3, 4, 1))


def weights(value: float) -> dict:
    return {k: torch.full_like(v, value) for k, v in network().state_dict().items()}


def pickled(value: float) -> nn.Module:
    """A module of a class that the reader cannot import, as YOLOv5 saves it."""
    foreign = sys.modules.setdefault("foreign_models", types.ModuleType("foreign_models"))
    if not hasattr(foreign, "Network"):
        foreign.Network = type("Network", (nn.Sequential,), {"__module__": "foreign_models"})
    module = foreign.Network(*network())
    module.load_state_dict(weights(value))
    return module.half()


A, B = 0.5, 0.25
# (what the family is, the file, --entry, the value whose weights count)
TAKEN = [
    ("", lambda: weights(A), None, A),
    *(("", lambda name=name: {name: weights(A), "epoch": 3}, None, A) for name in checkpoint.USUAL),
    ("flash_intern_image", lambda: {"model_ema": weights(A)}, None, A),
    ("flash_intern_image", lambda: {"model_ema": weights(A), "model": weights(B), "optimizer": {"state": {0: weights(A)}}}, None, B),
    ("flash_intern_image", lambda: {"model_ema": weights(A), "model": weights(B)}, "model_ema", A),
    ("yolov5", lambda: {"model": pickled(A), "ema": pickled(B), "updates": 9}, None, B),
    ("yolov5", lambda: {"model": pickled(A), "ema": pickled(B)}, "model", A),
    ("yolov5", lambda: {"model": pickled(A), "ema": None}, None, A),
    ("yolov5", lambda: {"model": None, "ema": pickled(B)}, None, B),
    ("yolov5", lambda: {"model": weights(A), "ema": {"decay": 0.9, "module": weights(B)}}, None, B),
    ("mtmi", lambda: {"model": weights(A), "state_dict": weights(B), "meta": {}}, None, B),
    ("dab_detr", lambda: {"model": weights(A), "ema_model": weights(B)}, None, A),
    ("", lambda: {"state_dict": {"model": weights(A)}}, None, A),
    ("", lambda: {"params": weights(A), "params_ema": weights(B)}, "params_ema", B),
    ("", lambda: {"state_dict": {"module._orig_mod." + k: v for k, v in weights(A).items()}}, None, A),
    ("", lambda: {"model_ema": {"n_averaged": torch.tensor(3), **{"module." + k: v for k, v in weights(A).items()}}}, None, A),
]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.addCleanup(sys.modules.pop, "foreign_models", None)
        self.path = Path(folder.name) / "net.pt"

    def fit(self, content, **options):
        torch.save(content, self.path)
        sys.modules.pop("foreign_models", None)
        model = network()
        notes = checkpoint.fit(model, self.path, **options)
        return model.state_dict()["0.weight"].unique().tolist(), notes

    def refused(self, content, **options):
        with self.assertRaises(checkpoint.CheckpointError) as raised:
            self.fit(content, **options)
        self.assertNotIn("\n", str(raised.exception))
        return str(raised.exception).removeprefix(f"{self.path}: "), raised.exception.hint


class Wrappings(Case):
    def test_the_entry_that_the_official_tools_take(self):
        for i, (family, make, entry, value) in enumerate(TAKEN):
            with self.subTest(i, family=family, entry=entry):
                self.assertEqual(self.fit(make(), family=family, entry=entry)[0], [value])

    def test_the_readme_has_the_table(self):
        text = (Path(checkpoint.__file__).parent / "README.md").read_text()
        for names in (*checkpoint.ENTRIES.values(), checkpoint.USUAL):
            self.assertIn(f"| {', '.join(f'`{name}`' for name in names)} |", text)

    def test_a_choice_is_said(self):
        _, notes = self.fit({"epoch": 1, "model": weights(A), "ema": weights(B)}, family="yolov5")
        self.assertEqual(notes, [f"{self.path}: weights taken from 'ema'; there are others under 'model' (--entry chooses)"])
        self.assertEqual(self.fit({"model": weights(A), "rng": {"cpu": torch.zeros(8)}})[1], [])

    def test_unknown_wrappings_are_named(self):
        for name in ("net", "params", "weights"):
            message, hint = self.refused({name: weights(A), "epoch": 3, "rng_state": torch.zeros(8)})
            self.assertTrue(message.startswith("expected weights, alone or under model or state_dict or model_state_dict, found neither; "), message)
            self.assertTrue(message.endswith(f"the file's entries are: {name}, epoch, rng_state; weights seem to be under '{name}'"), message)
            self.assertEqual(hint, f"--entry {name} takes them")
        message, _ = self.refused({"params": weights(A), "params_ema": weights(B), "odd\nname": 1})
        self.assertTrue(message.endswith(r"params, params_ema, 'odd\nname'; weights seem to be under 'params', 'params_ema'"), message)

        message, hint = self.refused({"state_dict": {"params": weights(A)}})
        self.assertTrue(message.endswith("that entry's entries are: params; weights seem to be under 'params'"), message)
        self.assertEqual(hint, "save them alone with torch.save")

    def test_an_entry_that_is_not_there(self):
        message, hint = self.refused({"model": weights(A), "epoch": 3}, entry="ema")
        self.assertEqual(message, "expected weights under 'ema', found none; the file's entries are: model, epoch")
        self.assertEqual(hint, "weights are under: model")
        self.assertEqual(self.refused(weights(A), entry="ema")[1], "the weights are not wrapped: leave --entry out")

    def test_files_without_weights(self):
        message, _ = self.refused({"model": None, "epoch": 3})
        self.assertEqual(message, "expected a state dict, found no tensors; the file's entries are: model, epoch")
        message, _ = self.refused({"features.0.weight": torch.zeros(1), "features.1.weight": torch.zeros(1)})
        self.assertEqual(message, "expected the 9 keys of the network (0.weight, 0.bias, 1.weight and 5 more), found none of them, "
                                  "but 2: features.0.weight, features.1.weight")  # fmt: skip

    def test_other_formats_are_named(self):
        torch.jit.trace(nn.Conv2d(3, 3, 1), torch.rand(1, 3, 4, 4)).save(str(self.path))
        scripted = self.path.read_bytes()
        header = b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
        for data, found, way in ((scripted, "a TorchScript archive", "torch.jit.load"),
                                 (len(header).to_bytes(8, "little") + header + bytes(4), "a safetensors file", "safetensors.torch.load_file"),
                                 (b"<html>not found</html>", "something else (invalid load key, '<'.)", "incomplete")):  # fmt: skip
            self.path.write_bytes(data)
            with self.assertRaises(checkpoint.CheckpointError) as raised:
                checkpoint.read(self.path)
            self.assertEqual(str(raised.exception), f"{self.path}: expected a PyTorch checkpoint, found {found}")
            self.assertIn(way, raised.exception.hint)

    def test_wrappings_without_end(self):
        deep = weights(A)
        for _ in range(6):
            deep = {"model": deep}
        self.assertIn("found no tensors", self.refused(deep)[0])
        module = pickled(A)
        module._modules["again"] = module
        self.assertIn("contains itself", self.refused({"model": module})[0])


if __name__ == "__main__":
    unittest.main()
