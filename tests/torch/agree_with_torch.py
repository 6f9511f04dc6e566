#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Vision operators against PyTorch and torchvision on random shapes.

agree_with_torch.py FOVEA [FAMILY...] [--seed N] [--count N]   exit code 0 agree, 1 differ, 77 skipped.
Every operator gets at least 200 nodes; floats agree within 1e-5 of the output's range, integers exactly."""
import argparse
import sys
import time

COUNT = {"cumulative": 400, "nms": 400, "normalisation": 800, "attention": 600, "roi_align": 400, "deform_conv": 600, "grid_sample": 600}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("fovea")
    parser.add_argument("families", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, help="nodes per family")
    arguments = parser.parse_args()
    try:
        import numpy as np
        import families
    except ImportError as error:
        print(f"skipped: {error}; scripts/bootstrap.sh test installs the judges")
        return 77
    families.torch.set_num_threads(2)
    failed = False
    for name in arguments.families or families.ALL:
        start, rng = time.monotonic(), np.random.default_rng(arguments.seed)
        batch = families.ALL[name](rng, arguments.count or COUNT[name])
        made = time.monotonic() - start
        problems = batch.run(arguments.fovea)
        worst = f", worst error {batch.worst:.1e} of the range" if not problems or len(problems) > 1 else ""
        print(f"{'FAIL' if problems else 'ok  '} {name}: seed {arguments.seed}, {len(batch.nodes)} nodes, {len(problems)} differ{worst}, "
              f"{made:.0f} s PyTorch, {time.monotonic() - start - made:.0f} s ours", flush=True)
        for problem in problems[:20]:
            print(f"     {problem}", flush=True)
        failed |= bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
