# SPDX-License-Identifier: Apache-2.0
"""The alias table of MTMI: tensors of the published graph and their names in our exports (mtmi_names.json)."""
from __future__ import annotations

import json
from pathlib import Path

FILE = Path(__file__).with_name("mtmi_names.json")


def table() -> list[dict]:
    """A row a tensor: official, ours, shape, what and, where published, int8_scale."""
    return json.loads(FILE.read_text())["tensors"]


def official() -> dict[str, str]:
    """Our name -> the official one."""
    return {row["ours"]: row["official"] for row in table()}
