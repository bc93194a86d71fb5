"""Plants each thing that core/clippy.toml forbids in a file of its own, and sees that clippy refuses it; then looks through
the packages that `glassine-core` is built from for one that does input or output.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor

# What does input or output, or brings a runtime for it.
IMPURE = {
    "async-std", "aws-lc-rs", "getrandom", "http", "http-body", "hyper", "hyper-util", "mio", "notify", "rand", "reqwest",
    "rustls", "smol", "socket2", "tempfile", "tokio", "tracing", "ureq",
}
# How a type or a function is used: one of these compiles for each.
LINES = {
    "type": ["pub fn planted(_: &{}) {{}}"],
    "method": [
        "pub fn planted() {{ let _ = " + use + "; }}"
        for use in ["{}", "{}::<&str>", "{}::<&str, &str>", "{}(&\"\")", "{}(|| ())", "{}(|_| ())"]
    ],
}


def refused(kind, path):
    """Whether clippy, as core/ configures it, refuses a use of `path`."""
    return any(refuses(kind, line.format(path)) for line in LINES[kind])


def refuses(kind, line):
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, "planted.rs")
        with open(file, "w", encoding="utf-8") as out:
            out.write(line)
        lint = f"clippy::disallowed_{kind}s"
        command = ["clippy-driver", "--edition=2024", "--crate-type=lib", "-D", lint, "--emit=metadata", "--out-dir", folder, file]
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "CLIPPY_CONF_DIR": "core"})
    return done.returncode != 0 and f"use of a disallowed {kind}" in done.stderr


def packages():
    """Every package that `glassine-core` is built from, at run time."""
    command = ["cargo", "tree", "--locked", "-p", "glassine-core", "-e", "normal", "--prefix", "none", "--format", "{p}"]
    tree = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in tree.splitlines()}


def main():
    with open("core/clippy.toml", "rb") as file:
        rules = tomllib.load(file)
    # jiff's clock is found in the package itself only; here is no package.
    forbidden = [(kind, entry["path"]) for kind in LINES for entry in rules[f"disallowed-{kind}s"] if entry["path"].startswith("std::")]
    with ThreadPoolExecutor() as pool:
        is_refused = pool.map(refused, *zip(*forbidden))
        missed = [path for (_, path), found in zip(forbidden, is_refused) if not found]
    for path in missed:
        print(f"core/clippy.toml forbids {path}, and clippy does not find it")
    built = packages()
    impure = sorted(built & IMPURE)
    for name in impure:
        print(f"glassine-core is built from {name}, which does input or output")
    print(f"{len(forbidden)} planted, {len(forbidden) - len(missed)} refused; {len(built)} packages, {len(impure)} impure")
    return 1 if missed or impure or not forbidden else 0


if __name__ == "__main__":
    sys.exit(main())
