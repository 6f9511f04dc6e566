# SPDX-License-Identifier: Apache-2.0
"""The cases, one file per family: every name and domain, every vector of the specifications, the edges."""
