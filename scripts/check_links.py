#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that relative links of all Markdown pages lead somewhere, and that `path/names` in the pages of docs/ exist."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDERS = ("src/", "docs/", "tests/", "scripts/", "examples/", "models/", "include/", "cmake/", "bench/")


def anchors(page):
    text = page.read_text()
    titles = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles} | set(re.findall(r'<a id="([\w-]+)">', text))


def problems_of(page):
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.S)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield f"link to {target}: no such file"
        elif anchor and anchor not in anchors(file):
            yield f"link to {target}: no such heading"
    for name in re.findall(r"`([\w./-]+)`", text):
        if name.startswith(FOLDERS) and "my_" not in name and not (ROOT / name).exists():
            yield f"`{name}` does not exist"


def main():
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    pages = [ROOT / name for name in listed.stdout.split()] if listed.returncode == 0 else sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md"))
    found = [f"{page.relative_to(ROOT)}: {problem}" for page in pages for problem in problems_of(page)]
    print("\n".join(found) if found else f"{len(pages)} pages, all links lead somewhere")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
