# SPDX-License-Identifier: Apache-2.0
"""The five networks of Fovea's journeys: our own definitions, exporters and seeded weights.

State-dict keys and shapes equal those of the official checkpoints, so these load strictly. PyTorch is needed by the
definitions and by `export`; `seed` and `light` need NumPy and onnx only."""
