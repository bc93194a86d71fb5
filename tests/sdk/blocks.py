"""Prints the code blocks of a Markdown file that are marked `<!-- sdk: NAME -->`, in their order."""

import re
import sys

path, name = sys.argv[1:]
with open(path, encoding="utf-8") as file:
    text = file.read()
blocks = re.findall(rf"<!-- sdk: {re.escape(name)} -->\n+```\w+\n(.*?)\n```\n", text, re.DOTALL)
if not blocks:
    sys.exit(f"{path}: no code block is marked <!-- sdk: {name} -->")
print("\n\n".join(blocks) + "\n\n")
