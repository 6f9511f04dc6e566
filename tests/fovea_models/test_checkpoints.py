# SPDX-License-Identifier: Apache-2.0
"""Checkpoints as they are published: wrapped, in half precision, pickled with foreign classes; and those that do not fit."""
import contextlib
import io
import pickle
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

import torch

from fovea_models import checkpoint, export, weights, yolov5


def network():
    return yolov5.Yolov5(yolov5.SIZES["n"], classes=2)


def seeded():
    model = network()
    weights.fill(model, 0)
    return model.state_dict()


class Files(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = Path(self.folder.name) / "net.pt"

    def fits(self, content, state):
        torch.save(content, self.path)
        model = network()
        checkpoint.fit(model, self.path, optional=("anchor_grid$",))
        for key, value in model.state_dict().items():
            self.assertTrue(torch.equal(value, state[key].to(value.dtype)), key)

    def test_wrappings(self):
        state = seeded()
        self.fits(state, state)
        self.fits({"model": state, "epoch": 3}, state)
        self.fits({"state_dict": {"module." + k: v for k, v in state.items()}}, state)
        self.fits({"model": state | {"model.24.anchor_grid": torch.zeros(3, 1, 3, 1, 1, 2)}}, state)

    def test_half_precision_is_widened(self):
        half = {k: v.half() if v.is_floating_point() else v for k, v in seeded().items()}
        self.fits(half, half)

    def test_counters_may_be_absent(self):
        state = seeded()
        torch.save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}, self.path)
        checkpoint.fit(network(), self.path)

    def test_a_pickled_network_is_read_without_its_classes(self):
        state = seeded()
        foreign = types.ModuleType("foreign_models")
        foreign.Network = type("Network", (yolov5.Yolov5,), {"__module__": "foreign_models"})
        sys.modules["foreign_models"] = foreign
        whole = foreign.Network(yolov5.SIZES["n"], classes=2)
        whole.load_state_dict(state)
        torch.save({"model": whole.half(), "ema": None, "date": "today"}, self.path)
        del sys.modules["foreign_models"]
        model = network()
        checkpoint.fit(model, self.path)
        self.assertTrue(torch.equal(model.state_dict()["model.9.cv2.conv.weight"], state["model.9.cv2.conv.weight"].half().float()))
        self.assertNotIn("foreign_models", sys.modules)

    def test_nothing_in_a_file_is_run(self):
        class Bomb:
            def __reduce__(self):
                return (exec, ("import pathlib; pathlib.Path(r'%s').touch()" % (Path(self.where) / "ran"),))

        Bomb.where = self.folder.name
        torch.save({"model": Bomb()}, self.path)
        with self.assertRaises(checkpoint.CheckpointError):
            checkpoint.fit(network(), self.path)
        self.assertFalse((Path(self.folder.name) / "ran").exists())

    def test_bytes_that_are_no_checkpoint(self):
        whole = io.BytesIO()
        torch.save(seeded(), whole)
        for data in (b"", b"PK\x03\x04 nothing", pickle.dumps([1, 2]), whole.getvalue()[: len(whole.getvalue()) // 2]):
            self.path.write_bytes(data)
            with self.assertRaises(checkpoint.CheckpointError):
                checkpoint.read(self.path)


class Command(unittest.TestCase):
    def test_differences_are_listed_and_nothing_is_written(self):
        state = seeded()
        del state["model.3.conv.weight"]
        state["model.24.m.0.bias"] = torch.zeros(255)
        state["model.25.extra"] = torch.zeros(1, 2)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "bad.pt")
            torch.save(state, file)
            command = [sys.executable, "-m", "fovea_models.export", "yolov5n", "--classes", "2", "--checkpoint", file, "-o", Path(folder, "n.onnx")]
            run = subprocess.run(command, capture_output=True, text=True)
            self.assertEqual(sorted(p.name for p in Path(folder).iterdir()), ["bad.pt"])
        lines = run.stderr.splitlines()
        self.assertEqual(run.returncode, 3, run.stderr)
        self.assertEqual(lines[0], f"error: {file}: expected the 349 keys of the network, found 3 differences")
        self.assertTrue(lines[1].startswith("hint: "))
        self.assertEqual(lines[2:], [
            "  missing    model.3.conv.weight [64, 32, 3, 3]",
            "  misshapen  model.24.m.0.bias: expected [21], found [255]",
            "  extra      model.25.extra [1, 2]",
        ])  # fmt: skip

    def test_wrong_usage(self):
        for options in (["yolov5n", "--seed", "0", "--aux"], ["yolov5n", "--seed", "0", "--size", "100"], ["yolov5n"], ["resnet"],
                        ["mtmi", "--light", "--checkpoint", "x"], ["mtmi", "--seed", "0", "--dynamic", "depth"]):  # fmt: skip
            with self.assertRaises(SystemExit) as left, contextlib.redirect_stderr(io.StringIO()):
                export.main([*options, "-o", "/nowhere/x.onnx"])
            self.assertEqual(left.exception.code, 2, options)


if __name__ == "__main__":
    unittest.main()
