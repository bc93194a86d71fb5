"""Tables in Markdown, for docs/PERFORMANCE.md."""


def print_loads(title, loads, floor=None):
    """A row per server: forwarders, the floor, sanitizers, cheapest first, compared with the cheapest forwarder."""
    forwarders, sanitizers = cheapest_first(loads, sanitizing=False), cheapest_first(loads, sanitizing=True)
    best = loads[forwarders[0]] if forwarders else None
    node = next((load for server, load in loads.items() if server.name == "Node"), None)
    costs, others = cost_columns(best, node), other_columns(best)
    columns = costs | others
    rows = [[server.name, *(cell(loads[server]) for cell in columns.values())] for server in forwarders + sanitizers]
    if floor:
        floor_row = ["computed floor", *(cell(floor) for cell in costs.values()), *[""] * len(others)]
        rows.insert(len(forwarders), floor_row)
    print_table(title, ["", *columns], rows)


def cheapest_first(loads, sanitizing):
    servers = [server for server in loads if server.sanitizes == sanitizing]
    return sorted(servers, key=lambda server: loads[server].cpu)


def cost_columns(best, node):
    """The columns that need a cost in CPU time only. The floor has these, too."""
    columns = {"CPU per request": lambda it: micros(it.cpu)}
    if best:
        columns["× best"] = lambda it: f"{it.cpu / best.cpu:.2f}"
    if node:
        columns["Node ÷ it"] = lambda it: f"{node.cpu / it.cpu:.1f}"
    return columns


def other_columns(best):
    columns = {
        "in the kernel": lambda it: f"{it.kernel / it.cpu:.0%}",
        "p50": lambda it: millis(it.p50),
        "p99": lambda it: millis(it.p99),
    }
    if best:
        columns["p99 × best"] = lambda it: f"{it.p99 / best.p99:.2f}"
    return columns | {"requests/s": lambda it: f"{it.rate:,.0f}", "peak resident": lambda it: mebibytes(it.peak)}


def print_floors(title, floors):
    """The parts of each page's floor, and how far Glassine is above it."""
    columns = ["page", "hyper", "tokenizer", "tokens", "for each", "floor", "Glassine", "Glassine ÷ floor"]
    print_table(title, columns, [[page.title, *floor_cells(floor)] for page, floor in floors.items()])


def floor_cells(floor):
    parts = [micros(floor.forwarding), micros(floor.tokenizer), f"{floor.tokens:,}", f"{floor.hmac * 1e9:.0f} ns"]
    return [*parts, micros(floor.cpu), micros(floor.glassine), f"{floor.glassine / floor.cpu:.2f}"]


def print_setting(name, value):
    print(f"\n{name}: {value}", flush=True)


def print_table(title, columns, rows):
    print(f"\n**{title}**\n")
    # The first column has names, the others numbers.
    print(line(columns), line(["---", *["---:"] * (len(columns) - 1)]), *map(line, rows), sep="\n", flush=True)


def line(cells):
    return f"| {' | '.join(cells)} |"


def micros(seconds):
    return f"{seconds * 1e6:,.0f} µs"


def millis(seconds):
    return f"{seconds * 1e3:,.1f} ms"


def mebibytes(size):
    return f"{size / 2**20:,.0f} MiB"
