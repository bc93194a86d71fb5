"""Tables in Markdown, for docs/PERFORMANCE.md."""


def print_loads(title, loads):
    """A row a server; ratios to nginx and to Node where they are among them."""
    nginx, node = loads.get("nginx"), loads.get("Node")
    columns = ["", "CPU per request", "in the kernel"]
    columns += ["× nginx"] if nginx else []
    columns += ["Node ÷ it"] if node else []
    columns += ["p50", "p99"]
    columns += ["p99 × nginx"] if nginx else []
    columns += ["requests/s", "peak resident"]
    rows = []
    for name, load in loads.items():
        row = [name, micros(load.cpu), f"{load.kernel / load.cpu:.0%}"]
        row += [f"{load.cpu / nginx.cpu:.2f}"] if nginx else []
        row += [f"{node.cpu / load.cpu:.1f}"] if node else []
        row += [millis(load.p50), millis(load.p99)]
        row += [f"{load.p99 / nginx.p99:.2f}"] if nginx else []
        rows.append([*row, f"{load.rate:,.0f}", mebibytes(load.peak)])
    print_table(title, columns, rows)


def print_setting(name, value):
    print(f"\n{name}: {value}", flush=True)


def print_table(title, columns, rows):
    print(f"\n**{title}**\n")
    # The first column says what, the others how much.
    print(line(columns), line(["---", *["---:"] * (len(columns) - 1)]), *map(line, rows), sep="\n", flush=True)


def line(cells):
    return f"| {' | '.join(cells)} |"


def micros(seconds):
    return f"{seconds * 1e6:,.0f} µs"


def millis(seconds):
    return f"{seconds * 1e3:,.1f} ms"


def mebibytes(size):
    return f"{size / 2**20:,.0f} MiB"
