#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks who includes whom (docs/architecture.md): the arrows between folders of src/ go one way.

Also: every source starts with the SPDX line, headers have `#pragma once`, and kernels see of a backend only its kit.
Prints one line a violation and exits with 1 if there is one."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# folder -> folders it may include from src/ (itself always). include/fovea is open to all.
ALLOWED = {
    "base": set(),
    "ir": {"base", "ops/schema.h"},  # the verifier asks for arity and attributes
    "device": {"base"},
    "ops": {"base", "device", "backends/cpu/kit"},
    "engine": {"base", "device", "ops"},
    "backends": {"base", "device"},
    "plugins": {"base", "device", "ops"},
    "runtime": {"base", "device", "engine", "ops"},
    "onnx": {"base", "ir", "ops"},
    "passes": {"base", "ir", "ops", "device"},
    "quant": {"base", "ir", "ops"},
    "compiler": {"base", "ir", "ops", "device", "onnx", "passes", "quant", "engine", "runtime"},
    "surgery": {"base", "ir", "ops", "passes", "compiler"},
    "image": {"base"},
    "metrics": {"base"},
    "task": {"base", "image", "runtime", "engine"},
    "cli": {"base", "ir", "ops", "device", "onnx", "passes", "compiler", "engine", "runtime", "image", "metrics", "surgery", "task"},
}
# What the runtime library compiles of ops/: never the schema side.
RUNTIME_ONLY = re.compile(r"_(reference|cpu)\.cpp$")
COMPILER_HEADERS = {"ops/schema.h", "ir/graph.h"}


def check(path, problems):
    text = path.read_text(encoding="utf-8")
    relative = path.relative_to(ROOT / "src")
    folder = relative.parts[0]
    if not text.startswith("// SPDX-License-Identifier: Apache-2.0"):
        problems.append(f"src/{relative}: the first line must be the SPDX line")
    # *-inl.h are read once per instruction set (Highway) and have a guard that toggles.
    if path.suffix == ".h" and not path.name.endswith("-inl.h") and "#pragma once" not in text:
        problems.append(f"src/{relative}: header without #pragma once")
    for number, line in enumerate(text.splitlines(), 1):
        match = re.match(r'\s*#\s*include "([^"]+)"', line)
        if not match or match.group(1).startswith("fovea/"):
            continue
        target = match.group(1)
        if target.endswith((".pb.h", "_generated.h")) or "/" not in target:
            continue
        owner = target.split("/")[0]
        if owner not in ALLOWED:
            continue  # a library: Highway wants its headers in quotes
        allowed = owner == folder or any((target + "/").startswith(prefix + "/") for prefix in ALLOWED.get(folder, set()))
        if not allowed:
            problems.append(f'src/{relative}:{number}: {folder}/ must not include "{target}"')
        if folder == "ops" and RUNTIME_ONLY.search(relative.name) and target in COMPILER_HEADERS:
            problems.append(f'src/{relative}:{number}: a kernel must not include "{target}" (the runtime carries it without the compiler)')


def main():
    problems = []
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix in (".cpp", ".h"):
            check(path, problems)
    for path in sorted((ROOT / "include").rglob("*.h")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = re.match(r'\s*#\s*include "([^"]+)"', line)
            if match and not match.group(1).startswith("fovea/"):
                problems.append(f'{path.relative_to(ROOT)}:{number}: a public header must not include "{match.group(1)}"')
    print("\n".join(problems) if problems else "include rules hold")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
