"""Prints the code blocks of Markdown files that are marked `<!-- sdk: NAME -->`, in their order."""

import re
import sys

*paths, name = sys.argv[1:]
blocks = []
for path in paths:
    with open(path, encoding="utf-8") as file:
        blocks += re.findall(rf"<!-- sdk: {re.escape(name)} -->\n+```\w+\n(.*?)\n```\n", file.read(), re.DOTALL)
if not blocks:
    sys.exit(f"{', '.join(paths)}: no code block is marked <!-- sdk: {name} -->")
print("\n\n".join(blocks) + "\n\n")
