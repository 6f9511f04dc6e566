#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/cli/*.md and docs/operators.md from what the built command says and does, and the outputs in README.md,
docs/add_an_operator.md and docs/networks/*.md.

    generate_docs.py BUILD_DIR            writes the pages
    generate_docs.py BUILD_DIR --check    exits with 1 if a page no longer says what the command does

Each page holds the help text and real runs on the bundled network. In the others the block behind a line `<!-- console -->`
is run line by line from the repository's root (which must hold the build folder as `build`), or by the command that the
comment names. --check leaves those alone and looks at help texts, command lines,
errors and exit codes only: figures differ between machines."""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
NETWORK = "models/blood_cells/blood_cells.onnx"

# Command, what its exit codes mean beyond the common ones, runs. All runs share one folder, so later ones find the
# files of earlier ones.
PAGES = [
    ("build", "`3` also when an output's error is over `--max-error`.",
     [f"fovea build {NETWORK} -o cells.fovea --recipe models/blood_cells/recipe.json",
      f"fovea build {NETWORK} -o cells.fovea --device cuda"]),
    ("predict", "`2` also when there is no recipe, neither in the engine nor given.",
     ["blood_smear --seed 1 -o smear.png", "fovea predict cells.fovea smear.png -o marked | head -n 12"]),
    ("run", "", ["fovea run cells.fovea --seed 7 --output out.npz", "fovea run cells.fovea --shapes images:1x4x416x416"]),
    ("bench", "", ["OMP_WAIT_POLICY=passive fovea bench cells.fovea --threads 2 --duration 1 --profile | head -n 12"]),
    ("compare", "`1` when an output is over the limit.",
     [f"fovea compare {NETWORK} cells.fovea --layers", f"fovea compare {NETWORK} cells.fovea --max-error 1e-12"]),
    ("simplify", "`1` when an output changed by more than `--max-error`; then nothing is written.",
     [f"fovea simplify {NETWORK} -o slim.onnx"]),
    ("split", "", ["fovea split models/light/mtmi.light.onnx --at feat1,feat2,feat3,feat4 --names encoder,seg_head,depth_head -o parts | grep wrote",
      "fovea split tests/models/tiny.onnx --at feat=r0 --names encoder,head -o parts", "fovea split models/light/mtmi.light.onnx --at feat4 -o parts"]),
    ("surgeon", "", ["fovea surgeon tests/models/tiny.onnx -o head.onnx --inputs feat=r0 --outputs logits=scores"]),
    ("fuse", "`1` when an output changed by more than `--max-error`; then nothing is written.",
     ["fovea fuse models/light/flash_intern_image_t.light.onnx -o fused.onnx --value-offset --no-check",
      "fovea fuse models/light/dab_detr_r50.light.onnx -o fused.onnx --layer-norm opset17 --no-check"]),
    ("val", "", ["fovea val --annotations tests/models/val/truth.json --detections tests/models/val/found.json"]),
    ("inspect", "", ["fovea inspect cells.fovea | head -n 16", f"fovea inspect {NETWORK} | head -n 8"]),
    ("conformance", "`1` when a case fails, or passes although it is listed in the skip file.",
     ["fovea conformance tests/models/conformance -v"]),
    ("ops", "`1` when no operator matches.", ["fovea ops Conv", "fovea ops Convv"]),
    ("doctor", "", ["fovea doctor"]),
]

INDEX = """# The command

```text
$ fovea --help
{help}
```

{links}

## Exit codes

| code | means |
|---|---|
| 0 | done |
| 1 | the answer is no: a comparison or a test failed, nothing matched |
| 2 | wrong usage: an option, a name or a shape that cannot be |
| 3 | a bad, missing or unsupported model or file |
| 4 | a device or resource is missing: no such device, out of memory, disk full, output not writable |
| 130 | stopped with Ctrl-C; files are as they were before |

An error is one line `error: WHERE: what was expected, what was found` and a line `hint: ...`, both on stderr. Files are written beside
their target and renamed, so what was there stays until the new file is whole.

## Threads

`--threads N` (0, the default: all cores this process may use) sets the size of the OpenMP team that all kernels share. While they wait for each
other its threads spin, which is fastest on a machine that does nothing else. On a busy machine set `OMP_WAIT_POLICY=passive` in the
environment: they sleep instead. With more threads than free cores the difference is tenfold and more.

## Figures as JSON

`--json FILE`, or `--json -` for stdout (then nothing else is printed there).

| command | keys |
|---|---|
| bench | `model device precision threads shapes throughput_qps latency_ms enqueue_ms h2d_ms compute_ms d2h_ms first_run_ms load_ms peak_memory_bytes layers[name kernel ms gflops gbps]`; times have `min max mean median p90 p95 p99` |
| compare | `outputs[name max_abs max_rel rms cosine range ok] ok` |
| conformance | `passed[] failed[name reason] skipped[]` |
| predict | per image `image` and `detections[label class_id score box]`, box as `[x1, y1, x2, y2]` in pixels of the picture; or `classes`, `mask_file`, `depth_file` |
| val | `kind pictures` and the figures: `AP AP50 AP75 APs APm APl AR1 AR10 AR100 ARs ARm ARl categories[]`; `top1 top5`; `mean_iou pixel_accuracy classes[]`; `abs_rel rmse delta1 delta2 delta3` |
| inspect | `--format json`: inputs, outputs, layers, certificate, decisions |
| ops, doctor | what they print |

`run --output FILE.npz` writes an npz whose keys are the names of the outputs.
"""


def shell(line, folder, environment):
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout.rstrip("\n")


def console(line, folder, environment):
    """A run as a reader would see it in a terminal, with its exit code when that is not 0."""
    code, text = shell("set -o pipefail; " + line, folder, environment)
    note = f"\n$ echo $?\n{code}" if code not in (0, 141) else ""
    return f"```text\n$ {line}\n{text}{note}".rstrip("\n") + "\n```\n"


def pages(build):
    made = {}
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PATH": f"{build / 'bin'}:{os.environ['PATH']}", "LC_ALL": "C"}
        for name in ("models", "tests"):
            (pathlib.Path(folder) / name).symlink_to(ROOT / name)
        links = []
        for name, codes, runs in PAGES:
            code, text = shell(f"fovea {name} --help", folder, environment)
            if code != 0:
                sys.exit(f"fovea {name} --help: exit code {code}\n{text}")
            links.append(f"- [{name}]({name}.md): {text.splitlines()[0]}")
            page = f"# fovea {name}\n\n```text\n$ fovea {name} --help\n{text}\n```\n\n"
            page += "".join(console(line, folder, environment) + "\n" for line in runs)
            made[f"docs/cli/{name}.md"] = page + f"[Exit codes](README.md#exit-codes). {codes}".rstrip() + "\n"
        made["docs/cli/README.md"] = INDEX.format(help=shell("fovea --help", folder, environment)[1], links="\n".join(links))
        table = shell("fovea ops --markdown", folder, environment)[1]
        made["docs/operators.md"] = ("# Operators\n\nWhat `fovea ops --markdown` prints: each operator in its newest form, the types of its "
                                     "first input that the reference kernel takes, and the kernels, best first. Older opsets (from 7 on) are "
                                     "brought to this form while importing.\n\n" + table + "\n")
    note = "<!-- Written by scripts/generate_docs.py; edit that. -->\n"
    return {path: note + text for path, text in made.items()}


def renew_console_blocks(page):
    """Runs the console blocks of a page and puts what they print behind their command lines."""
    text = (ROOT / page).read_text()

    def renew(match):
        instead = match.group(1).removeprefix(":").strip()
        lines = []
        for line in match.group(2).splitlines():
            if line.startswith("$ ") and line != "$ echo $?":
                code, output = shell(instead or line[2:], ROOT, {**os.environ, "LC_ALL": "C"})
                output = output.replace(str(ROOT), "/src/fovea").splitlines()
                lines += [line, *(output if len(output) < 24 else [*output[:9], "...", *output[-8:]])]
        body = "\n".join(lines)
        return f"<!-- console{match.group(1)} -->\n```text\n{body}\n```"

    (ROOT / page).write_text(re.sub(r"<!-- console(.*?) -->\n```text\n(.*?)\n```", renew, text, flags=re.S))


def essence(text):
    """What a page promises on every machine: the help text, the command lines, errors, hints and exit codes."""
    help_text, _, runs = text.partition("\n```\n")
    kept = help_text.splitlines()
    kept += [line for line in runs.splitlines() if line.startswith(("$ ", "error:", "hint:", "#", "|"))]
    return [re.sub(r"\d[\d.]*(e[-+]?\d+)?", "#", line).rstrip() for line in kept]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    stale = 0
    for path, text in pages(build).items():
        target = ROOT / path
        if "--check" not in sys.argv:
            target.write_text(text)
            continue
        before = target.read_text() if target.exists() else ""
        if path == "docs/operators.md":
            continue  # grows with every operator; a stale row misleads nobody for long
        wanted, found = essence(text), essence(before)
        if wanted != found:
            stale += 1
            print(f"{path} is stale; run scripts/generate_docs.py BUILD_DIR")
            print("\n".join(list(difflib.unified_diff(found, wanted, "page", "command", lineterm="", n=0))[:20]))
    if "--check" not in sys.argv:
        for page in ("README.md", "docs/add_an_operator.md", *sorted(f"docs/networks/{file.name}" for file in (ROOT / "docs/networks").glob("*.md"))):
            renew_console_blocks(page)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
