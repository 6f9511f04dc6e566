# SPDX-License-Identifier: Apache-2.0
"""Case: one operator at one shape, as a one-node ONNX model for Fovea and as a function for the peer."""
import dataclasses
from typing import Callable

import numpy as np
import onnx
from onnx import helper


@dataclasses.dataclass
class Case:
    name: str                     # operator and shape: "DeformConv 1x256x50x76 3x3 g4"
    target: float                 # peer's time / Fovea's, at least
    peer: str                     # what is timed beside us: "torchvision deform_conv2d"
    model: onnx.ModelProto
    feeds: dict                   # input name -> numpy array
    run_peer: Callable            # (dict of torch tensors) -> tensor, or tuple of tensors, in the order of the outputs
    tolerance: float = 1e-4       # largest difference of the two, relative to the output's range; None: counts only


def one_node(op, feeds, outputs=("y",), constants=None, domain="", opset=22, types=None, **attributes):
    """A model of one node whose inputs are `feeds` in order; those also named in `constants` become initializers."""
    constants = constants or ()
    types = types or {}
    node = helper.make_node(op, list(feeds), list(outputs), name=op, domain=domain, **attributes)
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
              for name, value in feeds.items() if name not in constants]
    initializers = [onnx.numpy_helper.from_array(np.ascontiguousarray(feeds[name]), name) for name in constants]
    results = [helper.make_tensor_value_info(name, types.get(name, onnx.TensorProto.FLOAT), None) for name in outputs]
    imports = [helper.make_opsetid("", opset)] + ([helper.make_opsetid(domain, 1)] if domain else [])
    graph = helper.make_graph([node], op, inputs, results, initializers)
    return helper.make_model(graph, opset_imports=imports, ir_version=10)
