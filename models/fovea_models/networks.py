# SPDX-License-Identifier: Apache-2.0
"""The list of networks: name, how to make it, what goes in and comes out, which options it takes."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

from torch import nn

from fovea_models import dab_config, dab_detr, deformable_dab_detr, flash_intern_image, mit, mtmi, mtmi_names, yolov5

AUX = tuple(f"aux_outputs.{i}.{kind}" for i in range(5) for kind in ("pred_logits", "pred_boxes"))
COUNTERS = r"num_batches_tracked$"


@dataclass(frozen=True)
class Form:
    """How a network looks as a graph, given its options."""

    inputs: dict[str, tuple]  # name -> shape; "N", "H", "W" stand for batch and size
    outputs: dict[str, tuple]  # None stands for an extent that follows from the others
    inner: dict[str, tuple] = field(default_factory=dict)  # named tensors inside the graph; outputs with --features

    def renamed(self, names: dict[str, str]) -> Form:
        return Form(*({names.get(name, name): shape for name, shape in group.items()} for group in (self.inputs, self.outputs, self.inner)))


@dataclass(frozen=True)
class Network:
    make: Callable[[SimpleNamespace], nn.Module]
    form: Callable[[SimpleNamespace], Form]
    size: tuple[int, int]  # default height and width
    multiple: int  # height and width must be multiples of it
    options: tuple[str, ...] = ()  # of export.py
    optional_keys: tuple[str, ...] = field(default=())  # that checkpoints hold and inference does not use
    domain: str = ""  # of its custom operators
    family: str = ""  # whose tools wrote the checkpoints (checkpoint.ENTRIES)
    all_parts: tuple[str, ...] = ()  # sub-modules whose weights may come from files of their own
    parts: Callable[[SimpleNamespace], tuple[str, ...]] = lambda o: ()  # those of them that the options ask for
    finish: Callable[[nn.Module, SimpleNamespace], None] = lambda model, o: None  # what is left to do once the weights are in
    same_keys: str = ""  # what sets the network apart from others whose checkpoints have the same keys


def _flash(size: str) -> Network:
    c = flash_intern_image.SIZES[size]
    return Network(
        make=lambda o: flash_intern_image.FlashInternImage(c),
        form=lambda o: Form({"input": ("N", 3, "H", "W")}, {"output": ("N", 1000)}),
        size=(c.side, c.side), multiple=1, domain="custom_op", family="flash_intern_image",
    )  # fmt: skip


def _yolo_form(o) -> Form:
    values = 5 + o.classes
    maps = {f"s{stride}": ("N", 3 * values, None, None) for stride in yolov5.STRIDES}
    return Form({"images": ("N", 3, "H", "W")}, maps if o.no_anchor else {"outputs": ("N", None, values)})


def _yolo(size: str) -> Network:
    return Network(
        make=lambda o: yolov5.Yolov5(yolov5.SIZES[size], o.classes, decode=not o.no_anchor),
        form=_yolo_form,
        size=(640, 640), multiple=32, options=("classes", "no_anchor"), optional_keys=(r"anchor_grid$",), family="yolov5",
    )  # fmt: skip


# What --part exports, as sub-modules of Mtmi.
MTMI_PARTS = {"all": ("backbone", "decode_head", "depth_head"), "encoder": ("backbone",), "seg": ("decode_head",), "depth": ("depth_head",)}


class MtmiPart(nn.Module):
    """The encoder or one head as a network of its own, with the names of the whole."""

    def __init__(self, whole: mtmi.Mtmi, name: str):
        super().__init__()
        self.name = name
        self.add_module(name, getattr(whole, name))

    def forward(self, *inputs):
        return getattr(self, self.name)(*inputs)


def _mtmi(size: str) -> Network:
    c = mit.SIZES[size]
    maps = {f"feat{i + 1}": ("N", width, ("H", 4 << i), ("W", 4 << i)) for i, width in enumerate(c.widths)}

    def make(o):
        head = "slim" if o.seg_head == "slim" else "official"
        whole = mtmi.Mtmi(c, head, o.seg_width, o.seg_fusion, o.seg_resize, o.depth_padding)
        return whole if o.part == "all" else MtmiPart(whole, *MTMI_PARTS[o.part])

    def finish(model, o):
        if o.seg_head == "folded" and "decode_head" in MTMI_PARTS[o.part]:
            model.decode_head = mtmi.slim_from_official(model.decode_head).eval()

    def form(o):
        image = {"image": ("N", 3, "H", "W")}
        cut = {name: (*shape[:2], None, None) for name, shape in maps.items()}
        seg, depth = {"seg_logits": ("N", mtmi.CLASSES, None, None)}, {"depth_norm": ("N", 1, None, None)}
        forms = {"all": Form(image, seg | depth, cut), "encoder": Form(image, cut), "seg": Form(maps, seg), "depth": Form(maps, depth)}
        return forms[o.part].renamed(mtmi_names.official() if o.names == "official" else {})

    # The official names count the nodes of one graph, that of B0.
    options = ("part", "features", "seg_head", "seg_width", "seg_fusion", "seg_resize", "depth_padding") + (("names",) if size == "b0" else ())
    unused = (r"(^|decode_head\.)conv_seg\.", r"^head\.")  # of SegFormer's checkpoints; of ImageNet's
    return Network(make, form, (1024, 1024), 32, options, unused, family="mtmi", all_parts=MTMI_PARTS["all"], parts=lambda o: MTMI_PARTS[o.part],
                   finish=finish)


def _detr_form(o) -> Form:
    inputs = {"inputs": ("N", 3, "H", "W")} | ({"mask": ("N", "H", "W")} if o.mask else {})
    names = ("pred_logits", "pred_boxes") + (AUX if o.aux else ())
    return Form(inputs, {n: ("N", None, dab_detr.CLASSES if n.endswith("logits") else 4) for n in names})


def _dab(**changes) -> Network:
    config = dab_detr.Config(**changes)

    def make(o):
        return dab_detr.DabDetr(dab_config.read(o.config, config, o.aux) if o.config else config, o.aux)

    return Network(make, _detr_form, (800, 800), 1, ("aux", "mask", "config"), (COUNTERS,), family="dab_detr", same_keys=dab_config.described(config))


NETWORKS = {
    "flash_intern_image_t": _flash("t"),
    "flash_intern_image_s": _flash("s"),
    "flash_intern_image_b": _flash("b"),
    "flash_intern_image_l": _flash("l"),
    "yolov5n": _yolo("n"),
    "yolov5s": _yolo("s"),
    "yolov5m": _yolo("m"),
    "mtmi": _mtmi("b0"),
    "mtmi_b1": _mtmi("b1"),
    "mtmi_b2": _mtmi("b2"),
    "dab_detr_r50": _dab(),
    "dab_detr_r50_3pat": _dab(patterns=3),
    "dab_detr_r50_dc5": _dab(dilation=True, height_temperature=10.0, width_temperature=10.0),
    "dab_detr_r50_dc5_fixxy": _dab(dilation=True, fixed_xy=True),
    "dab_detr_r50_dc5_3pat": _dab(dilation=True, patterns=3),
    "dab_deformable_detr_r50": Network(
        lambda o: deformable_dab_detr.DeformableDabDetr(aux=o.aux), _detr_form, (800, 800), 1, ("aux", "mask"), (COUNTERS,), "mmdeploy", "dab_detr"
    ),
}
