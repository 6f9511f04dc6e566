#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py           rewrites data/ from the references, bit for bit
generate.py --check   compares data/ with what would be written; exit code 1 where they differ
Needs numpy and onnx."""
import filecmp
import os
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
from families import attention, deform, grid, nms, norm, roi, scan, scatter  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FAMILIES = (attention, deform, grid, nms, norm, roi, scan, scatter)


def write_all(root):
    names = set()
    for family in FAMILIES:
        for item in family.cases():
            assert item.name not in names, item.name
            names.add(item.name)
            item.write(root)
    return len(names)


def files_of(root):
    return {os.path.relpath(os.path.join(folder, f), root) for folder, _, files in os.walk(root) for f in files}


def main():
    data = os.path.join(HERE, "data")
    if sys.argv[1:] == ["--check"]:
        with tempfile.TemporaryDirectory() as fresh:
            count = write_all(fresh)
            ours, theirs = files_of(data), files_of(fresh)
            wrong = sorted(ours ^ theirs) + [f for f in sorted(ours & theirs) if not filecmp.cmp(os.path.join(data, f), os.path.join(fresh, f), False)]
        for f in wrong:
            print(f"differs: {f}")
        print(f"{count} cases, {len(wrong)} files differ")
        return 1 if wrong else 0
    shutil.rmtree(data, ignore_errors=True)
    print(f"{write_all(data)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
