# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression, the forms of ONNX and mmcv; TensorRT's and mmdeploy's are in nms_batched.py."""
import numpy as np

from onnx_case import Case, Stored, case, dyadic, expect, f32, i32, i64
from reference.nms import iou, mmcv_nms, nms_rotated, non_max_suppression, plugin_rows

from . import nms_batched

FIVE = np.array([[[0.0, 0, 10, 10], [1, 0, 11, 10], [0, 20, 10, 30], [0, 21, 10, 31], [40, 40, 50, 50]]])
SCORES = np.array([[[.9, .75, .6, .95, .05]]])


def random_boxes(seed, batch, count, size=6, step=8):
    """x1, y1, x2, y2 on a grid of 1/8, close enough to overlap often."""
    low = dyadic(seed, (batch, count, 2), 0, size, step)
    return np.concatenate([low, low + dyadic(seed + 1, (batch, count, 2), 0.5, 4, step)], axis=2)


def random_scores(seed, shape):
    """All different: a shuffled ramp."""
    count = int(np.prod(shape))
    return (np.random.RandomState(seed).permutation(count).reshape(shape) + 0.5) / count


def standard(name, boxes, scores, limit=None, iou_threshold=None, score_threshold=None, center_point=0, opset=11, constants=()):
    b, s = f32(boxes), f32(scores)
    given = [None if limit is None else i64([limit]), *(None if t is None else f32([t]) for t in (iou_threshold, score_threshold))]
    while given and given[-1] is None:
        given.pop()
    value = lambda t, default: default if t is None else float(np.float32(t))
    rows = non_max_suppression(b.exact, s.exact, limit or 0, value(iou_threshold, 0.0), value(score_threshold, None), center_point)
    return case("nms/" + name, "NonMaxSuppression", [b, s, *given], [i64(rows)], opset=opset, constants=constants,
                attributes={} if center_point == 0 else dict(center_point_box=center_point), dynamic=False)


def onnx_cases():
    expect(iou(FIVE[0, 0], FIVE[0, 1]), 0.818182, 5e-7)
    for name, scores, threshold, limit, wanted in (("vector_threshold", SCORES, 0.3, 4, [[0, 0, 3], [0, 0, 0]]), ("vector", SCORES, 0.0, 4, [[0, 0, 3], [0, 0, 0], [0, 0, 4]]),
                                                   ("vector_all_below", np.array([[[.2, .1, .05, .15, .01]]]), 0.3, 3, np.zeros((0, 3)))):
        expect(non_max_suppression(FIVE, scores, limit, 0.5, threshold), wanted, 0)
        for opset in (10, 11):
            yield standard(f"onnx_{opset}_{name}", FIVE, scores, limit, 0.5, threshold, opset=opset)
    boxes, scores = random_boxes(1, 2, 40), random_scores(2, (2, 3, 40))
    yield standard("onnx_batches_and_classes", boxes, scores, 10, 0.4, 0.2)
    yield standard("onnx_constant_limits", boxes, scores, 10, 0.4, 0.2, constants=(2, 3, 4))
    yield standard("onnx_limit_1", boxes, scores, 1, 0.4, 0.2)
    yield standard("onnx_limit_beyond_boxes", boxes, scores, 2**62, 0.4)
    yield standard("onnx_limit_0", boxes, scores, 0, 0.4, 0.2)
    yield standard("onnx_limit_absent", boxes, scores, None, 0.4, 0.2)
    yield standard("onnx_no_optional_inputs", boxes, scores)
    yield standard("onnx_iou_threshold_absent", boxes, scores, 40)
    yield standard("onnx_iou_threshold_0", boxes, scores, 40, 0.0)
    yield standard("onnx_iou_threshold_1", boxes, scores, 40, 1.0)
    yield standard("onnx_negative_scores", boxes, scores - 0.5, 40, 0.5)
    yield standard("onnx_negative_score_threshold", boxes, scores - 0.5, 40, 0.5, -0.25)
    # turned-over corners; the same boxes as centres and sizes
    flipped = boxes.copy()
    flipped[:, ::2] = flipped[:, ::2][..., [2, 1, 0, 3]]
    flipped[:, ::3] = flipped[:, ::3][..., [0, 3, 2, 1]]
    yield standard("onnx_flipped_corners", flipped, scores, 10, 0.4, 0.2)
    centres = np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - boxes[..., :2]], axis=2)
    yield standard("onnx_center_point", centres, scores, 10, 0.4, 0.2, center_point=1)
    expect(non_max_suppression(centres, scores, 10, 0.4, 0.2, 1), non_max_suppression(boxes, scores, 10, 0.4, 0.2), 0)
    # exactly at the thresholds: IoU 1/2 is not over 0.5; a score of 0.5 is not over 0.5
    halves = np.array([[[0.0, 0, 4, 2], [0, 0, 4, 4], [0, 0, 4, 8], [8, 8, 9, 9]]])
    yield standard("onnx_iou_equals_threshold", halves, np.array([[[.9, .8, .7, .6]]]), 4, 0.5)
    yield standard("onnx_score_equals_threshold", halves, np.array([[[.5, .75, .25, .5]]]), 4, 0.9, 0.5)
    # ties of scores: the lower index first, and it suppresses the other
    same = np.tile(FIVE[:, :1], (1, 6, 1))
    yield standard("onnx_equal_scores", np.concatenate([same, FIVE], axis=1), np.full((1, 2, 11), 0.5), 11, 0.5)
    yield standard("onnx_identical_boxes", same, random_scores(5, (1, 1, 6)), 6, 0.5)
    # without area: neither suppresses nor is suppressed
    flat = np.array([[[1.0, 1, 1, 5], [1, 1, 1, 5], [0, 0, 4, 4], [2, 2, 2, 2], [0, 2, 4, 2], [0, 0, 4, 4]]])
    yield standard("onnx_boxes_without_area", flat, np.array([[[.9, .8, .7, .6, .5, .4]]]), 6, 0.0)
    yield standard("onnx_no_boxes", np.zeros((1, 0, 4)), np.zeros((1, 2, 0)), 5, 0.5)
    yield standard("onnx_no_classes", np.zeros((2, 3, 4)), np.zeros((2, 0, 3)), 5, 0.5)
    yield standard("onnx_no_images", np.zeros((0, 3, 4)), np.zeros((0, 2, 3)), 5, 0.5)
    yield standard("onnx_one_box", FIVE[:, :1], SCORES[..., :1], 5, 0.5, 0.1)
    yield standard("onnx_negative_coordinates", boxes - 10, scores, 10, 0.4, 0.2)
    yield standard("onnx_large_coordinates", boxes * 2.0**20, scores, 10, 0.4, 0.2)
    yield standard("onnx_many", random_boxes(7, 1, 200, 40), random_scores(8, (1, 2, 200)), 200, 0.25, 0.1)
    sets = []
    for k, (b, c, n) in enumerate(((1, 1, 3), (2, 3, 17), (3, 2, 1))):
        boxes, scores = f32(random_boxes(30 + k, b, n)), f32(random_scores(40 + k, (b, c, n)))
        rows = non_max_suppression(boxes.exact, scores.exact, 5, 0.375, 0.125)
        sets.append(([boxes, scores, i64([5]), f32([0.375]), f32([0.125])], [i64(rows)]))
    yield Case("nms/onnx_dynamic_sizes", "NonMaxSuppression", sets, opset=11)


def mmcv_cases():
    """The CPU operator: boxes [N, 4], scores [N]; every kept index."""
    boxes, scores = random_boxes(11, 1, 30)[0], random_scores(12, 30)
    for name, b, s, threshold, offset in (("vector", FIVE[0], SCORES[0, 0], 0.5, 0), ("random", boxes, scores, 0.3, 0), ("offset_1", boxes * 4, scores, 0.3, 1),
                                          ("iou_equals_threshold", np.array([[0.0, 0, 4, 2], [0, 0, 4, 4]]), np.array([.9, .8]), 0.5, 0),
                                          ("offset_gives_area", np.array([[1.0, 1, 1, 1], [1, 1, 1, 1], [3, 3, 4, 4]]), np.array([.9, .8, .7]), 0.5, 1),
                                          ("no_boxes", np.zeros((0, 4)), np.zeros(0), 0.5, 0)):
        b, s = f32(b), f32(s)
        kept = mmcv_nms(b.exact, s.exact, float(np.float32(threshold)), offset)
        yield case(f"nms/mmcv_{name}", "NonMaxSuppression", [b, s], [i64(kept)], domain="mmcv", attributes=dict(iou_threshold=threshold, offset=offset))


def plugin(name, boxes, scores, domain="mmcv", **attributes):
    b, s = f32(boxes), f32(scores)
    exact = {k: float(np.float32(v)) if isinstance(v, float) else v for k, v in attributes.items()}
    rows = plugin_rows(b.exact, s.exact, exact.get("max_output_boxes_per_class", 0), exact.get("iou_threshold", 0.0), exact.get("score_threshold", 0.0),
                       exact.get("center_point_box", 0), exact.get("offset", 0))
    return case("nms/plugin_" + name, "NonMaxSuppression", [b, s], [i32(rows)], domain=domain, attributes=attributes)


def plugin_cases():
    """The TensorRT operator: thresholds as attributes, rows padded with -1. Never a row for a class below the threshold."""
    fixed = dict(center_point_box=0, offset=0)
    expect(plugin_rows(FIVE, SCORES, 4, 0.5, 0.3), [[0, 0, 3], [0, 0, 0], [-1] * 3, [-1] * 3], 0)
    yield plugin("vector_threshold", FIVE, SCORES, max_output_boxes_per_class=4, iou_threshold=0.5, score_threshold=0.3, **fixed)
    expect(plugin_rows(FIVE, SCORES, 4, 0.5, 0.0), [[0, 0, 3], [0, 0, 0], [0, 0, 4], [-1] * 3], 0)
    yield plugin("vector", FIVE, SCORES, max_output_boxes_per_class=4, iou_threshold=0.5, score_threshold=0.0, **fixed)
    below = np.array([[[.2, .1, .05, .15, .01]]])
    expect(plugin_rows(FIVE, below, 3, 0.5, 0.3), [[-1] * 3] * 3, 0)
    yield plugin("vector_all_below", FIVE, below, max_output_boxes_per_class=3, iou_threshold=0.5, score_threshold=0.3, **fixed)
    boxes, scores = random_boxes(21, 2, 20), random_scores(22, (2, 3, 20))
    yield plugin("limit_0_means_all", boxes, scores, max_output_boxes_per_class=0, iou_threshold=0.4, score_threshold=0.2, **fixed)
    yield plugin("offset_1", boxes * 4, scores, max_output_boxes_per_class=6, iou_threshold=0.4, score_threshold=0.2, center_point_box=0, offset=1)
    yield plugin("center_point", boxes, scores, max_output_boxes_per_class=6, iou_threshold=0.4, score_threshold=0.2, center_point_box=1, offset=0)
    yield plugin("defaults", boxes, scores)


def rotated_cases():
    """mmdeploy's NMSRotated: boxes as cx, cy, w, h, angle in radians."""
    turn = np.pi / 4
    crosses = np.array([[[0, 0, 4, 1, 0], [0, 0, 4, 1, np.pi / 2], [0, 0, 4, 1, turn], [0.2, 0, 4, 1, 0], [9, 9, 2, 2, turn], [9, 9, 2, 2, 0], [9, 9, 2, 2, turn + np.pi / 2]]])
    for name, boxes, scores, iou_threshold, score_threshold in (
            ("crosses", crosses, np.array([[[.9, .8, .7, .6, .5, .4, .3]]]), 0.5, 0.05),
            ("score_threshold", crosses, np.array([[[.9, .1, .7, .6, .05, .4, .3], [.1, .2, .3, .4, .5, .6, .7]]]), 0.2, 0.25),
            ("none", np.zeros((1, 0, 5)), np.zeros((1, 1, 0)), 0.5, 0.05)):
        b, s = f32(boxes), f32(scores)
        settled = [nms_rotated(b.exact, s.exact, float(np.float32(iou_threshold)) + d, score_threshold) for d in (-1e-3, 0, 1e-3)]
        assert all(np.array_equal(settled[1], t) for t in settled), name
        yield case(f"nms/rotated_{name}", "NMSRotated", [b, s], [i64(settled[1])], domain="mmdeploy",
                   attributes=dict(iou_threshold=iou_threshold, score_threshold=score_threshold))
    centre = dyadic(23, (1, 25, 2), 0, 8, 16)
    boxes = np.concatenate([centre, dyadic(24, (1, 25, 2), 1, 5, 16), dyadic(25, (1, 25, 1), -3, 3, 16)], axis=2)
    scores = f32(random_scores(26, (1, 2, 25)))
    rows = [nms_rotated(boxes, scores.exact, 0.25 + d, 0.125) for d in (-1e-4, 0, 1e-4)]
    assert np.array_equal(rows[0], rows[1]) and np.array_equal(rows[1], rows[2])
    yield case("nms/rotated_random", "NMSRotated", [f32(boxes), scores], [i64(rows[1])], domain="mmdeploy", attributes=dict(iou_threshold=0.25, score_threshold=0.125))


def cases():
    yield from onnx_cases()
    yield from mmcv_cases()
    yield from plugin_cases()
    yield from rotated_cases()
    yield from nms_batched.cases()
