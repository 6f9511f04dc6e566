#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compiles the C++ blocks of a Markdown page, all together in the order of the page: compile_page.py COMPILER PAGE."""
import pathlib
import re
import subprocess
import sys

compiler, page = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
blocks = re.findall(r"```cpp\n(.*?)```", page.read_text(), flags=re.S)
source = "#include <fovea/fovea.h>\n#include <cstdio>\nint main() {\n" + "\n".join(blocks) + "\nreturn 0;\n}\n"
root = page.parent.parent
done = subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", f"-I{root / 'include'}", "-x", "c++", "-"],
                      input=source, text=True)
print(f"{page.name}: {len(blocks)} blocks of C++ {'compile' if done.returncode == 0 else 'do not compile'}")
sys.exit(done.returncode)
