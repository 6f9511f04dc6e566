# SPDX-License-Identifier: Apache-2.0
"""Exported graphs: names, nodes, opsets; the light form against the full one; numbers where ONNX Runtime can run them."""
import contextlib
import io
import tempfile
import unittest
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from fovea_models import export, light
from fovea_models.networks import NETWORKS


def exported(*arguments):
    """The file that the command writes, and the network it came from."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "net.onnx")
        with contextlib.redirect_stdout(io.StringIO()):
            assert export.main([*arguments, "-o", str(path)]) == 0
        assert [p.name for p in Path(folder).iterdir()] == ["net.onnx"]
        model = onnx.load(path, load_external_data=False)
    parser = export.parser()
    args = parser.parse_args([*arguments, "-o", "x"])
    export.check(parser, args)
    return model, export.load(NETWORKS[args.network], args)[0]


def counts(model):
    return Counter(node.op_type for node in model.graph.node)


def names(values):
    return [v.name for v in values]


def dims(value):
    return [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]


class Case(unittest.TestCase):
    def agree(self, model, network, *inputs, limit=1e-5):
        """ONNX Runtime runs the file, PyTorch the definition."""
        import onnxruntime

        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        ours = session.run(None, {i.name: t.numpy() for i, t in zip(session.get_inputs(), inputs, strict=True)})
        with torch.no_grad():
            theirs = network(*inputs)
        theirs = [theirs] if isinstance(theirs, torch.Tensor) else list(theirs)
        for name, a, b in zip(names(session.get_outputs()), ours, theirs):
            b = b.numpy()
            self.assertEqual(a.shape, b.shape, name)
            self.assertLessEqual(np.abs(a - b).max(), limit * np.abs(b).max(), name)


class FlashInternImage(Case):
    def test_inventory_of_t(self):
        model, _ = exported("flash_intern_image_t", "--seed", "0", "--size", "64")
        found = counts(model)
        for op, count in {"DCNv4_Plugin": 30, "LayerNormalization": 69, "Erf": 32, "MatMul": 150, "Gemm": 1, "Conv": 6,
                          "GlobalAveragePool": 1, "Flatten": 1, "Reshape": 98}.items():  # fmt: skip
            self.assertEqual(found[op], count, op)
        # Transposes that undo each other at the four downsamplings are gone already: 16 of the plain count, less 6.
        self.assertEqual(found["Transpose"], 10)
        self.assertEqual(sum(found.values()), 682 - 6)
        self.assertEqual((names(model.graph.input), names(model.graph.output)), (["input"], ["output"]))
        self.assertEqual({o.domain: o.version for o in model.opset_import}, {"": 17, "custom_op": 1})
        blocks = [n for n in model.graph.node if n.op_type == "DCNv4_Plugin"]
        self.assertEqual(blocks[0].name, "/levels.0/blocks.0/dcn/DCNv4_Plugin")
        groups = []
        for node in blocks:
            self.assertEqual(node.domain, "custom_op")
            values = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            groups.append(values.pop("group"))
            self.assertEqual(values, {"kh": 3, "kw": 3, "sh": 1, "sw": 1, "ph": 1, "pw": 1, "dh": 1, "dw": 1, "group_channels": 16,
                                      "offscale": 1.0, "step": 256, "remove_center": 0})  # fmt: skip
        self.assertEqual(groups, [4] * 4 + [8] * 4 + [16] * 18 + [32] * 4)


class Yolov5(Case):
    def test_raw_maps(self):
        model, network = exported("yolov5n", "--seed", "0", "--no-anchor", "--size", "64", "--opset", "13")
        self.assertEqual(names(model.graph.output), ["s8", "s16", "s32"])
        self.assertEqual(counts(model), {"Conv": 60, "Sigmoid": 57, "Mul": 57, "Concat": 13, "Add": 7, "MaxPool": 3, "Resize": 2})
        tensors = {o for node in model.graph.node for o in node.output}
        for name in ("/model.0/act/Mul_output_0", "/model.2/m/m.0/addop/Add_output_0", "/model.2/concat/Concat_output_0",
                     "/model.9/m/MaxPool_output_0", "/model.9/m_1/MaxPool_output_0", "/model.9/m_2/MaxPool_output_0",
                     "/model.11/Resize_output_0", "/model.12/Concat_output_0", "/model.23/cv3/act/Sigmoid_output_0"):  # fmt: skip
            self.assertIn(name, tensors)
        self.assertEqual([n.name for n in model.graph.node if n.name.startswith("/model.24")], [f"/model.24/m.{i}/Conv" for i in range(3)])
        self.agree(model, network, torch.rand(1, 3, 64, 64))

    def test_decoded_with_open_axes_at_the_oldest_opset(self):
        model, network = exported("yolov5n", "--seed", "0", "--classes", "2", "--size", "64", "--dynamic", "batch,size", "--opset", "11")
        self.assertEqual(model.opset_import[0].version, 11)
        self.assertEqual(dims(model.graph.input[0]), ["N", 3, "H", "W"])
        for shape in ((1, 3, 64, 64), (3, 3, 96, 160)):
            self.agree(model, network, torch.rand(shape))

    def test_light_holds_the_same_weights(self):
        plain, network = exported("yolov5n", "--seed", "5", "--size", "64", "--plain")
        thin, _ = exported("yolov5n", "--seed", "5", "--size", "64", "--light")
        self.assertLess(thin.ByteSize(), 250_000)
        named = [t for t in thin.graph.initializer if t.external_data]
        self.assertEqual(len(named), 57 * 5 + 3 * 2)  # kernels and the four vectors of each norm; detection: weight and bias
        self.assertTrue(all(t.data_location == onnx.TensorProto.EXTERNAL for t in named))
        state = network.state_dict()
        full = light.materialise(thin)
        for tensor in full.graph.initializer:
            if tensor.name in state:
                self.assertTrue(np.array_equal(numpy_helper.to_array(tensor), state[tensor.name].numpy()), tensor.name)
        onnx.checker.check_model(full)
        self.agree(full, network, torch.rand(1, 3, 64, 64))
        self.agree(plain, network, torch.rand(1, 3, 64, 64))


class Mtmi(Case):
    def test_cut_points_have_names(self):
        model, network = exported("mtmi", "--seed", "0", "--size", "64x96", "--opset", "20")
        self.assertEqual((names(model.graph.input), names(model.graph.output)), (["image"], ["seg_logits", "depth_norm"]))
        tensors = {o for node in model.graph.node for o in node.output}
        self.assertLessEqual({"feat1", "feat2", "feat3", "feat4"}, tensors)
        self.assertEqual(counts(model)["LayerNormalization"], 30)
        self.agree(model, network, torch.rand(1, 3, 64, 96))

    def test_parts_in_a_row_are_the_whole(self):
        whole, _ = exported("mtmi", "--seed", "0", "--size", "64", "--features")
        self.assertEqual(names(whole.graph.output), ["seg_logits", "depth_norm", "feat1", "feat2", "feat3", "feat4"])
        head, network = exported("mtmi", "--seed", "0", "--size", "64", "--part", "depth")
        self.assertEqual([dims(i) for i in head.graph.input], [[1, 32, 16, 16], [1, 64, 8, 8], [1, 160, 4, 4], [1, 256, 2, 2]])
        self.agree(head, network, *(torch.rand(dims(i)) for i in head.graph.input))


class DabDetr(Case):
    def test_static_graph(self):
        model, network = exported("dab_detr_r50", "--seed", "0", "--size", "64x96", "--aux")
        aux = [f"aux_outputs.{i}.{kind}" for i in range(5) for kind in ("pred_logits", "pred_boxes")]
        self.assertEqual(names(model.graph.output), ["pred_logits", "pred_boxes"] + aux)
        # 36 applications; the first self-attention and its norm see constants only, and fold.
        self.assertEqual(counts(model)["LayerNormalization"], 35)
        self.assertEqual(counts(model)["Conv"], 54)
        self.agree(model, network, torch.rand(1, 3, 64, 96))

    def test_padded_batches_of_any_size(self):
        model, network = exported("dab_detr_r50", "--seed", "0", "--size", "64", "--mask", "--dynamic", "batch,size", "--light")
        model = light.materialise(model)
        self.assertEqual([dims(i) for i in model.graph.input], [["N", 3, "H", "W"], ["N", "H", "W"]])
        mask = torch.zeros(2, 96, 160, dtype=torch.bool)
        mask[1, 64:], mask[1, :, 100:] = True, True
        self.agree(model, network, torch.rand(2, 3, 96, 160), mask)

    def test_deformable(self):
        model, _ = exported("dab_deformable_detr_r50", "--seed", "0", "--size", "64")
        nodes = [n for n in model.graph.node if n.op_type == "MMCVMultiScaleDeformableAttention"]
        self.assertEqual([n.domain for n in nodes], ["mmdeploy"] * 12)
        # 30 applications; the first decoder layer's self-attention sees constants only, and folds with its norm.
        self.assertEqual(counts(model)["LayerNormalization"], 29)
        shapes = {i.name: numpy_helper.to_array(i) for i in model.graph.initializer}[nodes[0].input[1]]
        self.assertEqual((shapes.dtype, shapes.tolist()), (np.int32, [[8, 8], [4, 4], [2, 2], [1, 1]]))


if __name__ == "__main__":
    unittest.main()
