# SPDX-License-Identifier: Apache-2.0
"""Checkpoints whose keys fit and whose numbers are of no use, or of another type."""
import unittest

import torch
from test_wrappings import A, Case, weights

from fovea_models import checkpoint

KEY = "1.running_var"


class Numbers(Case):
    def test_what_is_not_finite_is_named(self):
        for value, shown in ((float("nan"), "nan"), (float("inf"), "inf"), (-float("inf"), "-inf")):
            state = weights(A)
            state[KEY][1] = value
            state["2.bias"][0] = value
            message, hint = self.refused(state)
            self.assertEqual(message, f"{KEY}: expected finite float32 numbers, found {shown} at 1 of 3 places")
            self.assertIn("earlier checkpoint", hint)
        state = weights(A)
        state[KEY] = torch.full((3,), 1e300, dtype=torch.float64)
        self.assertEqual(self.refused(state)[0], f"{KEY}: expected finite float32 numbers, found inf at 3 of 3 places")

    def test_types_that_are_no_weights(self):
        kinds = [torch.int32, torch.int8, torch.bool, torch.complex64, torch.float8_e4m3fn]
        for wrong, found in [(torch.ones(3).to(kind), f"expected float32, found {str(kind)[6:]}") for kind in kinds] + [
            (torch.ones(3).to_sparse(), "expected a dense tensor with its numbers, found torch.sparse_coo"),
            (torch.ones(3, device="meta"), "expected a dense tensor with its numbers, found meta"),
        ]:
            with self.subTest(found):
                with self.assertRaises(checkpoint.CheckpointError) as raised:
                    self.fit(weights(A) | {KEY: wrong})
                self.assertEqual(raised.exception.differences, [f"mistyped   {KEY}: {found}"])
                self.assertEqual(str(raised.exception), f"{self.path}: expected the 9 keys of the network, found 1 difference")
                self.assertIn("float16", raised.exception.hint)

    def test_other_precisions_are_converted_and_said(self):
        for kind in (torch.float16, torch.bfloat16, torch.float64):
            state = {k: v.to(kind) if v.is_floating_point() else v for k, v in weights(A).items()}
            self.assertEqual(self.fit(state), ([A], [f"{self.path}: weights stored as {str(kind)[6:]} are exported as float32"]))
        self.assertEqual(self.fit(weights(A)), ([A], []))

    def test_a_few_bytes_that_claim_to_be_many_are_not_unfolded(self):
        state = weights(A) | {KEY: torch.ones(1, dtype=torch.float16).expand(1 << 24, 1 << 24)}
        message, _ = self.refused(state)
        self.assertIn("found 1 difference", message)


if __name__ == "__main__":
    unittest.main()
