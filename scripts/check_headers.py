#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles every header of include/ and src/ alone (syntax only): each must bring what it uses.

    check_headers.py BUILD_DIR [PART_OF_PATH...]

Takes compiler and include paths from the build's compile_commands.json. Exits with 1 if a header does not compile."""
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def settings(build):
    """The compiler, and the include paths of all targets together."""
    commands = json.loads((build / "compile_commands.json").read_text())
    words = [command["command"].split() for command in commands]
    compiler = next(word for word in words[0] if re.search(r"(g\+\+|clang\+\+|c\+\+)(-\d+)?$", word))
    paths = {}
    for line in words:
        for flag, following in zip(line, line[1:] + [""]):
            if flag.startswith("-I"):
                paths.setdefault(flag, None)
            elif flag == "-isystem":
                paths.setdefault(f"-isystem{following}", None)
    return compiler, list(paths)


def main():
    build, parts = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    compiler, paths = settings(build)
    headers = sorted([*(ROOT / "include").rglob("*.h"), *(ROOT / "src").rglob("*.h")])
    headers = [h for h in headers if not parts or any(part in str(h) for part in parts)]

    def compile_alone(header):
        # A source that includes the header twice also proves its #pragma once.
        source = f'#include "{header}"\n#include "{header}"\n'
        done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-fopenmp", "-Wall", "-Wextra", "-Werror", *paths, "-x", "c++", "-"],
                              input=source, capture_output=True, text=True, cwd=build)
        return header, done.returncode, done.stderr

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:
        for header, code, text in pool.map(compile_alone, headers):
            if code != 0:
                failed += 1
                print(f"{header.relative_to(ROOT)} does not compile alone:\n{text}")
    print(f"{len(headers) - failed} of {len(headers)} headers compile alone")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
