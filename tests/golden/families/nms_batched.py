# SPDX-License-Identifier: Apache-2.0
"""EfficientNMS_TRT, EfficientNMS_ONNX_TRT, BatchedNMS_TRT, BatchedNMSDynamic_TRT, mmdeploy's TRTBatchedNMS and TRTBatchedRotatedNMS: a fixed
number of rows, the rest padding. Attributes and padding as in NVIDIA's and mmdeploy's documentation of these plugins."""
import numpy as np

from onnx_case import Case, case, dyadic, f32, i32
from reference.nms import batched_nms_trt, efficient_nms, efficient_nms_onnx, trt_batched_nms


def boxes_of(seed, batch, count, classes=None, size=6.0):
    shape = (batch, count) if classes is None else (batch, count, classes)
    low = dyadic(seed, (*shape, 2), 0, size, 8)
    return np.concatenate([low, low + dyadic(seed + 1, (*shape, 2), 0.5, 4, 8)], axis=-1)


def scores_of(seed, shape):
    count = int(np.prod(shape))
    return (np.random.RandomState(seed).permutation(count).reshape(shape) + 0.5) / max(count, 1)


def f32_attributes(attributes):
    return {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in attributes.items()}


EFFICIENT = dict(score_threshold=0.3, iou_threshold=0.4, max_output_boxes=12, background_class=-1, score_activation=0, class_agnostic=0, box_coding=0)


def efficient_outputs(inputs, attributes):
    found = efficient_nms(*(t.exact for t in inputs), **f32_attributes(attributes))
    return [i32(found[0]), f32(found[1]), f32(found[2]), i32(found[3])]


def efficient(name, *inputs, domain="TRT", extra=None, **changed):
    inputs, attributes = [f32(t) for t in inputs], {**EFFICIENT, **changed}
    return case("nms/efficient_" + name, "EfficientNMS_TRT", inputs, efficient_outputs(inputs, attributes), domain=domain, attributes={**attributes, **(extra or {})})


def efficient_cases():
    boxes, scores = boxes_of(1, 2, 20), scores_of(2, (2, 20, 3))
    yield efficient("plain", boxes, scores)
    yield efficient("no_domain", boxes, scores, domain="", extra=dict(plugin_version="1", plugin_namespace=""))
    yield efficient("class_agnostic", boxes, scores, class_agnostic=1)
    yield efficient("background_class", boxes, scores, background_class=1)
    yield efficient("score_activation", boxes, np.round(np.log(scores / (1 - scores)) * 64) / 64, score_activation=1, score_threshold=0.35)
    yield efficient("one_output", boxes, scores, max_output_boxes=1)
    yield efficient("room_to_spare", boxes, scores, max_output_boxes=100)
    yield efficient("nothing_found", boxes, scores, score_threshold=1.5)
    yield efficient("centre_and_size", np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=2), scores, box_coding=1)
    yield efficient("boxes_per_class", boxes_of(3, 2, 10, 3), scores_of(4, (2, 10, 3)))
    yield efficient("turned_over", boxes[..., [2, 1, 0, 3]], scores)
    yield efficient("anchors", dyadic(5, (2, 20, 4), -0.5, 0.5, 8), scores, boxes[:1])
    yield efficient("anchors_per_image_centre_and_size", dyadic(6, (2, 20, 4), -0.5, 0.5, 8), scores, boxes + 1, box_coding=1, iou_threshold=0.45)
    # at the thresholds: a score of 0.5 is kept, an IoU of 1/2 is suppressed
    halves = np.array([[[0.0, 0, 4, 2], [0, 0, 4, 4], [8, 8, 9, 9], [20, 20, 21, 21]]])
    yield efficient("at_the_thresholds", halves, np.array([[[.75], [.6875], [.5], [.25]]]), iou_threshold=0.5, score_threshold=0.5)
    yield efficient("no_boxes", np.zeros((2, 0, 4)), np.zeros((2, 0, 3)), max_output_boxes=3)
    sets = []
    for k, (n, count, classes) in enumerate(((1, 5, 2), (3, 9, 1), (2, 30, 4))):
        inputs = [f32(boxes_of(30 + k, n, count)), f32(scores_of(40 + k, (n, count, classes)))]
        sets.append((inputs, efficient_outputs(inputs, EFFICIENT)))
    yield Case("nms/efficient_dynamic_sizes", "EfficientNMS_TRT", sets, domain="TRT", attributes=EFFICIENT)


ROWS = dict(score_threshold=0.3, iou_threshold=0.4, max_output_boxes_per_class=12, center_point_box=0)


def efficient_onnx(name, boxes, scores, domain="TRT", extra=None, **changed):
    b, s, attributes = f32(boxes), f32(scores), {**ROWS, **changed}
    rows = efficient_nms_onnx(b.exact, s.exact, **f32_attributes(attributes))
    return case("nms/efficient_onnx_" + name, "EfficientNMS_ONNX_TRT", [b, s], [i32(rows)], domain=domain, attributes={**attributes, **(extra or {})})


def efficient_onnx_cases():
    boxes, scores = boxes_of(1, 2, 20), scores_of(2, (2, 20, 3))
    yield efficient_onnx("plain", boxes, scores)
    yield efficient_onnx("no_domain", boxes, scores, domain="", extra=dict(plugin_version="1", plugin_namespace=""))
    yield efficient_onnx("one_row", boxes, scores, max_output_boxes_per_class=1)
    yield efficient_onnx("last_row_again", boxes, scores, max_output_boxes_per_class=50, score_threshold=0.75)
    yield efficient_onnx("nothing_found", boxes, scores, score_threshold=1.5)
    yield efficient_onnx("nothing_found_in_the_last_image", boxes, scores * np.array([1.0, 0.25])[:, None, None])
    yield efficient_onnx("nothing_found_in_the_first_image", boxes, scores * np.array([0.25, 1.0])[:, None, None])
    yield efficient_onnx("center_point", np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=2), scores, center_point_box=1)
    yield efficient_onnx("boxes_per_class", boxes_of(3, 2, 10, 3), scores_of(4, (2, 10, 3)))
    yield efficient_onnx("no_boxes", np.zeros((2, 0, 4)), np.zeros((2, 0, 3)), max_output_boxes_per_class=3)
    sets = []
    for k, (n, count, classes) in enumerate(((1, 5, 2), (3, 9, 1), (2, 30, 4))):
        inputs = [f32(boxes_of(50 + k, n, count)), f32(scores_of(60 + k, (n, count, classes)))]
        sets.append((inputs, [i32(efficient_nms_onnx(*(t.exact for t in inputs), **f32_attributes(ROWS)))]))
    yield Case("nms/efficient_onnx_dynamic_sizes", "EfficientNMS_ONNX_TRT", sets, domain="TRT", attributes=ROWS)


BATCHED = dict(shareLocation=1, backgroundLabelId=-1, numClasses=3, topK=20, keepTopK=12, scoreThreshold=0.3, iouThreshold=0.4, isNormalized=1, clipBoxes=0)


def batched(name, op, boxes, scores, domain="TRT", extra=None, **changed):
    b, s, attributes = f32(boxes), f32(scores), {**BATCHED, **changed}
    exact = f32_attributes({k: v for k, v in attributes.items() if k not in ("shareLocation", "numClasses")})
    count, *rest = batched_nms_trt(b.exact, s.exact, **exact)
    return case("nms/" + name, op, [b, s], [i32(count), *(f32(t) for t in rest)], domain=domain, attributes={**attributes, **(extra or {})})


def batched_cases():
    for prefix, op in (("batched", "BatchedNMS_TRT"), ("batched_dynamic", "BatchedNMSDynamic_TRT")):
        boxes, scores = boxes_of(11, 2, 20)[:, :, None], scores_of(12, (2, 20, 3))
        yield batched(f"{prefix}_shared", op, boxes, scores)
        yield batched(f"{prefix}_no_domain", op, boxes, scores, domain="", extra=dict(plugin_version="1", plugin_namespace="", scoreBits=16, caffeSemantics=1))
        yield batched(f"{prefix}_per_class", op, boxes_of(13, 2, 20, 3), scores, shareLocation=0)
        yield batched(f"{prefix}_background", op, boxes, scores, backgroundLabelId=0)
        yield batched(f"{prefix}_top_k", op, boxes, scores, topK=5, keepTopK=4)
        yield batched(f"{prefix}_clipped", op, boxes / 8 - 0.25, scores, clipBoxes=1)
        yield batched(f"{prefix}_pixels", op, boxes * 4, scores, isNormalized=0, iouThreshold=0.37)
        yield batched(f"{prefix}_nothing_found", op, boxes, scores, scoreThreshold=1.5)
        halves = np.array([[[[0.0, 0, 4, 2]], [[0, 0, 4, 4]], [[8, 8, 9, 9]], [[20, 20, 21, 21]]]])  # IoU 1/2 stays, a score of 0.5 goes
        yield batched(f"{prefix}_at_the_thresholds", op, halves, np.array([[[.75], [.6875], [.5], [.5625]]]), numClasses=1, topK=4, keepTopK=4, iouThreshold=0.5,
                      scoreThreshold=0.5)


DEPLOY = dict(background_label_id=-1, num_classes=3, topk=20, keep_topk=12, score_threshold=0.3, iou_threshold=0.4, is_normalized=1, clip_boxes=0, return_index=0)


def deploy(name, op, boxes, scores, domain="mmdeploy", **changed):
    b, s, attributes = f32(boxes), f32(scores), {**DEPLOY, **changed}
    exact = f32_attributes({k: v for k, v in attributes.items() if k not in ("num_classes", "is_normalized", "return_index")})
    dets, labels, index = trt_batched_nms(b.exact, s.exact, rotated="Rotated" in op, **exact)
    if "Rotated" in op:  # no overlap near the threshold
        for d in (-1e-4, 1e-4):
            assert np.array_equal(trt_batched_nms(b.exact, s.exact, rotated=True, **{**exact, "iou_threshold": exact["iou_threshold"] + d})[2], index), name
    outputs = [f32(dets), i32(labels)] + ([i32(index)] if attributes["return_index"] else [])
    return case("nms/" + name, op, [b, s], outputs, domain=domain, attributes=attributes)


def deploy_cases():
    op, boxes, scores = "TRTBatchedNMS", boxes_of(21, 2, 20)[:, :, None], scores_of(22, (2, 20, 3))
    yield deploy("trt_batched_shared", op, boxes, scores)
    yield deploy("trt_batched_no_domain", op, boxes, scores, domain="")
    yield deploy("trt_batched_return_index", op, boxes, scores, return_index=1)
    yield deploy("trt_batched_per_class", op, boxes_of(23, 2, 20, 3), scores, return_index=0)
    yield deploy("trt_batched_all", op, boxes, scores, topk=-1, keep_topk=60)
    yield deploy("trt_batched_top_k", op, boxes, scores, topk=5, keep_topk=4)
    yield deploy("trt_batched_background", op, boxes, scores, background_label_id=2)
    yield deploy("trt_batched_clipped", op, boxes / 8 - 0.25, scores, clip_boxes=1)
    yield deploy("trt_batched_nothing_found", op, boxes, scores, score_threshold=1.5, return_index=1)
    centre = dyadic(24, (2, 15, 1, 2), 0, 6, 16)
    turned = np.concatenate([centre, dyadic(25, (2, 15, 1, 2), 1, 5, 16), dyadic(26, (2, 15, 1, 1), -3, 3, 16)], axis=3)
    yield deploy("trt_batched_rotated", "TRTBatchedRotatedNMS", turned, scores_of(27, (2, 15, 3)), iou_threshold=0.25)


def cases():
    yield from efficient_cases()
    yield from efficient_onnx_cases()
    yield from batched_cases()
    yield from deploy_cases()
