#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The alias table of MTMI: an export with the official names, cut at them, gives parts that in a row are the whole.

official_names.py FOVEA: the names of the cut are those written here, from the specification, not those of the table."""
import contextlib
import io
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from fovea_models import export, mtmi_names

CUT = ["input.72", "input.148", "input.224", "input.292"]
SEG, DEPTH = "onnx::ArgMax_1963", "onnx::Mul_1912"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "networks" / "mtmi.md"


def names(values):
    return [v.name for v in values]


def run(path, inputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return dict(zip(names(session.get_outputs()), session.run(None, {i.name: inputs[i.name] for i in session.get_inputs()})))


class OfficialNames(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def exported(self, name, *options):
        path = self.folder / f"{name}.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(export.main(["mtmi", "--seed", "0", "--size", "64x96", "-o", str(path), *options]), 0)
        return path

    def test_split_finds_the_official_tensors(self):
        whole = self.exported("mtmi", "--names", "official")
        graph = onnx.load(whole).graph
        self.assertEqual((names(graph.input), names(graph.output)), (["input"], [SEG, DEPTH]))
        command = [FOVEA, "split", whole, "--at", ",".join(CUT), "--names", "encoder,seg_head,depth_head", "-o", self.folder, "-q"]
        subprocess.run(command, check=True)
        parts = {part: self.folder / f"mtmi_{part}.onnx" for part in ("encoder", "seg_head", "depth_head")}
        given = {"input": np.random.default_rng(0).random((1, 3, 64, 96), np.float32)}
        features = run(parts["encoder"], given)
        self.assertEqual(list(features), CUT)
        self.assertEqual([v.shape for v in features.values()], [(1, 32, 16, 24), (1, 64, 8, 12), (1, 160, 4, 6), (1, 256, 2, 3)])
        ours = run(self.exported("ours"), {"image": given["input"]})
        for part, output, own in (("seg_head", SEG, "seg_logits"), ("depth_head", DEPTH, "depth_norm")):
            result = run(parts[part], features)
            self.assertEqual(list(result), [output])
            np.testing.assert_allclose(result[output], ours[own], rtol=0, atol=1e-5 * np.abs(ours[own]).max())

    def test_parts_and_features_bear_them_too(self):
        graph = onnx.load(self.exported("whole", "--names", "official", "--features")).graph
        self.assertEqual(names(graph.output), [SEG, DEPTH, *CUT])
        graph = onnx.load(self.exported("head", "--names", "official", "--part", "depth")).graph
        self.assertEqual((names(graph.input), names(graph.output)), (CUT, [DEPTH]))

    def test_the_page_shows_the_table(self):
        rows = [re.split(r"\s*\|\s*", line.strip("| \n")) for line in PAGE.read_text().splitlines() if re.match(r"\| `(input|onnx)", line)]
        expected = [[f"`{r['official']}`", f"`{r['ours']}`", " x ".join(map(str, r["shape"])), r["what"], r.get("int8_scale", "")] for r in mtmi_names.table()]
        self.assertEqual([row + [""] * (5 - len(row)) for row in rows], expected)
        self.assertEqual([r["official"] for r in mtmi_names.table()], ["input", *CUT, SEG, DEPTH])


if __name__ == "__main__":
    FOVEA = sys.argv.pop(1)
    unittest.main()
