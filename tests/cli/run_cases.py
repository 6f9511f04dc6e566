#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the text cases of the command line: run_cases.py FOVEA FILE.case...

A case is a block of lines, blocks are separated by empty lines, '#' starts a comment:

    case  a truncated engine                 what it shows
    make  head -c 700 $TINY > short.onnx     (repeatable) preparation, in bash
    run   fovea build short.onnx -o x.fovea  one command line, in bash
    exit  3                                  its exit code
    out   phrase                             (repeatable) stdout contains it
    err   error: short.onnx:                 (repeatable) stderr contains it
    not   phrase                             (repeatable) neither stdout nor stderr contains it
    file  x.npz                              (repeatable) exists afterwards
    gone  x.fovea*                           (repeatable) no such file afterwards

Each case runs in an empty folder. $TINY is tests/models/tiny.onnx, $ENGINE the engine built from it, $MODELS the folder
models/, $RECIPE tests/models/tiny_recipe.json. Any stderr that names an error must have the form `error: WHERE: ...`, with a line `hint: ...` behind it."""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEYS = {"case", "make", "run", "exit", "out", "err", "not", "file", "gone"}


def read_cases(path):
    cases, case = [], {}
    for number, line in enumerate([*path.read_text().splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            if case:
                cases.append(case)
            case = {}
            continue
        key, _, value = line.partition(" ")
        if key not in KEYS:
            sys.exit(f"{path}:{number}: unknown key '{key}'")
        case.setdefault(key, []).append(value.strip())
        case.setdefault("where", f"{path.name}:{number}")
    return cases


def problems_of(case, environment):
    with tempfile.TemporaryDirectory() as folder:
        shell = lambda line: subprocess.run(["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
        for line in case.get("make", []):
            made = shell(line)
            if made.returncode != 0:
                return [f"preparation failed: {line}\n{made.stderr}"]
        done = shell(case["run"][0])
        found = []
        expected = int(case["exit"][0])
        if done.returncode != expected:
            found.append(f"exit code {done.returncode}, expected {expected}")
        found += [f"stdout lacks '{phrase}'" for phrase in case.get("out", []) if phrase not in done.stdout]
        found += [f"stderr lacks '{phrase}'" for phrase in case.get("err", []) if phrase not in done.stderr]
        found += [f"output has '{phrase}'" for phrase in case.get("not", []) if phrase in done.stdout + done.stderr]
        found += [f"no file {name}" for name in case.get("file", []) if not list(pathlib.Path(folder).glob(name))]
        found += [f"file {name} is there" for name in case.get("gone", []) if list(pathlib.Path(folder).glob(name))]
        # Who pressed Ctrl-C needs no hint.
        hint = "" if done.returncode == 130 else r"hint: [^\n]+\n"
        if "error:" in done.stderr and not re.search(rf"(^|\n)error: [^\n]+?: [^\n]+\n{hint}$", done.stderr):
            found.append("stderr is not 'error: WHERE: ...' and 'hint: ...'")
        if found:
            found.append(f"stdout:\n{done.stdout[-2000:]}stderr:\n{done.stderr[-2000:]}")
        return found


def main():
    fovea, files = pathlib.Path(sys.argv[1]).resolve(), [pathlib.Path(f) for f in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PATH": f"{fovea.parent}:{os.environ['PATH']}", "TINY": str(ROOT / "tests/models/tiny.onnx"),
                       "ENGINE": f"{folder}/tiny.fovea", "MODELS": str(ROOT / "models"),
                       "RECIPE": str(ROOT / "tests/models/tiny_recipe.json"), "LC_ALL": "C"}
        subprocess.run([fovea, "build", environment["TINY"], "-o", environment["ENGINE"], "-q"], check=True)
        cases = [case for file in files for case in read_cases(file)]
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for case, found in zip(cases, pool.map(lambda c: problems_of(c, environment), cases)):
                if found:
                    failed += 1
                    print(f"FAILED {case['where']} {case['case'][0]}\n  $ {case['run'][0]}\n  " + "\n  ".join(found))
    print(f"{len(cases) - failed} of {len(cases)} cases as expected")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
