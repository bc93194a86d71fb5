"""Writes THIRD-PARTY-LICENSES.txt: the licences of what the program is linked with.

    licences.py            writes the file
    licences.py --check    fails if the file is not what would be written

Where a package lets us choose, Apache-2.0 is chosen: its text is the same for all. The other texts name their authors.
"""

import pathlib
import re
import sys
import textwrap

from packages import ROOT, expression, packages

FILE = ROOT / "THIRD-PARTY-LICENSES.txt"
RULE = "=" * 100
NAMES = re.compile(r"^(licen[sc]e|copying|copyright|notice|unlicense)", re.IGNORECASE)
APACHE = "Apache License"

HEAD = """\
Glassine is linked with the packages below. Each is listed with the licence that its authors state, and under each text are the
packages to which the text belongs. `release/licences.py` writes this file from Cargo.lock.
"""


def texts(package):
    """The texts of a package's licence files that apply."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = [path for path in sorted(folder.iterdir()) if path.is_file() and NAMES.match(path.name)]
    found = [path.read_text(encoding="utf-8", errors="replace").strip() for path in files]
    apache = [text for text in found if text.lstrip().startswith(APACHE)]
    notices = [text for path, text in zip(files, found) if path.name.lower().startswith(("notice", "copyright"))]
    may_choose = "Apache-2.0" in expression(package).split(" OR ")
    return apache[:1] + notices if may_choose and apache else found


def lines(text):
    """A text as the file has it: two copies that differ in spaces or in the end of lines are one."""
    return "\n".join(" ".join(line.split()) for line in re.sub(r"\n\s*\n+", "\n\n", text).splitlines())


def key(text):
    """What makes two texts the same. The appendix of Apache-2.0 shows how to apply it and binds nobody."""
    words = " ".join(text.split())
    return words.split("END OF TERMS AND CONDITIONS")[0] if words.startswith(APACHE) else words


def third_party():
    return [package for package in packages() if package["source"]]


def document():
    groups, silent = {}, []
    for package in third_party():
        found = texts(package)
        if not found:
            silent.append(package)
        for text in found:
            groups.setdefault(key(text), (lines(text), []))[1].append(f"{package['name']} {package['version']}")
    parts = [HEAD, "\n".join(f"{it['name']} {it['version']}: {expression(it)}" for it in third_party())]
    parts += [f"{RULE}\nThese packages contain no text of their licence:\n" + "\n".join(map(without, silent))] if silent else []
    for text, users in sorted(groups.values(), key=lambda group: (-len(group[1]), group[1])):
        parts.append(f"{RULE}\n{textwrap.fill(', '.join(users), len(RULE))}\n{RULE}\n{text}")
    return "\n\n".join(part.strip() for part in parts) + "\n"


def without(package):
    authors = f", by {', '.join(package['authors'])}" if package["authors"] else ""
    return f"{package['name']} {package['version']}: {expression(package)}{authors}, {package['repository']}"


def main():
    made = document()
    if sys.argv[1:] != ["--check"]:
        FILE.write_text(made)
        return 0
    if not FILE.exists() or FILE.read_text() != made:
        print(f"{FILE.name} is not what Cargo.lock makes: run `python3 release/licences.py`")
        return 1
    print(f"{FILE.name}: {len(third_party())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
