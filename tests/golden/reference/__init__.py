# SPDX-License-Identifier: Apache-2.0
"""References of the vision operators in float64 NumPy, written from their published definitions: loops that a reader
can check by eye, no cleverness. One file per family; arrays in, arrays out."""
