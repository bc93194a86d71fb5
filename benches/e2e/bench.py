"""Measures Glassine beside proxies that forward and a sanitizer in Node, end to end on loopback. See README.md."""

import argparse
import signal
import statistics
import sys
import tempfile
from pathlib import Path

import floor
import origin
import report
import responses
from forwarders import FORWARDERS
from load import Load, run_h2load, run_wrk
from memory import PROTOCOLS, idle_connections, peak_of_open_pages
from pages import BIG, PAGES, PLAIN, SMALL
from servers import Glassine, Node
from workspace import Workspace, first_response

# Concurrent requests, as from a consumer's connection pool: many for small pages, a few for large ones.
CONNECTIONS = {SMALL: 32, PLAIN: 4, BIG: 4}
# Seconds at the start of a turn that are not measured: Node compiles hot code, connection pools fill, and the program
# returns to the CPU's caches after the other programs' turns.
WARM_UP = 1
# Pages that are measured, pages open at once, and idle connections.
WHOLE = PAGES, 256, 1000
QUICK = [SMALL, BIG], 16, 50
IN_PRODUCTION = [*FORWARDERS, Glassine]
PROGRAMS = [*IN_PRODUCTION, Node]


def main():
    options = arguments()
    # If this program is terminated, it ends the processes that it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    for program in set(PROGRAMS).difference(installed(PROGRAMS)):
        report.print_setting("Left out, because it is not installed", program.name)
    report.print_setting("TCP congestion control", Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip())
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder)) as work:
        bench = Bench(work, options)
        for name, scenario in SCENARIOS.items():
            if options.only in (None, name):
                scenario(bench)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything once and briefly: are the responses right?")
    parser.add_argument("--only", choices=SCENARIOS, help="one scenario")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the median is taken (%(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of load per server and round (%(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


class Bench:
    """Starts a server when a scenario first needs it. Measures servers in turn, so that other load affects all."""

    def __init__(self, work, options):
        self.work, self.quick, self.rounds, self.seconds = work, options.quick, options.rounds, options.seconds
        self.origins = origin.start(work)
        self.pages, self.open_pages, self.idle_connections = QUICK if self.quick else WHOLE

    def servers(self, programs, kind, tls=False):
        return [program(self.work, self.origins[kind], tls) for program in installed(programs)]

    def compare(self, title, servers, run, gzip):
        """One table for each page."""
        for page in self.pages:
            loads = self.measure(servers, page, run, gzip)
            report.print_loads(table_title(title, page), loads)

    def measure(self, servers, page, run=run_wrk, gzip=False):
        """The median of rounds in which each server has its turn."""
        for server in servers:
            responses.check(server, page, gzip)
        rounds = [[self.turn(server, page, run, gzip) for server in servers] for _ in range(self.rounds)]
        return {server: Load.median(runs) for server, runs in zip(servers, zip(*rounds))}

    def turn(self, server, page, run, gzip):
        load = [server, server.path(page), CONNECTIONS[page]]
        if not self.quick:
            run(*load, WARM_UP, gzip)
        server.process.forget_peak()
        return run(*load, self.seconds, gzip)


def table_title(title, page):
    return f"{title}: {page.title}, {CONNECTIONS[page]} connections"


def plain(bench):
    servers, floors = bench.servers(PROGRAMS, "plain"), {}
    for page in bench.pages:
        loads = bench.measure(servers, page)
        floors[page] = floor.compute(page, loads)
        report.print_loads(table_title("HTTP", page), loads, floors[page])
    report.print_floors("How far Glassine is from the floor", floors)


def gzip(bench):
    bench.compare("gzip on both sides", bench.servers([Node, Glassine], "gzip"), run_wrk, gzip=True)


def deployed(bench):
    """As between Microsoft and a consumer: TLS and HTTP/2 on both sides, where a program speaks it, and gzip."""
    title = "TLS and HTTP/2 on both sides"
    bench.compare(f"{title}, with gzip", bench.servers(IN_PRODUCTION, "tls_gzip", tls=True), run_h2load, gzip=True)
    bench.compare(f"{title}, without gzip", bench.servers(IN_PRODUCTION, "tls", tls=True), run_h2load, gzip=False)


def memory(bench):
    rows = []
    for server in bench.servers(IN_PRODUCTION, "plain"):
        responses.check(server, BIG)
        peak = peak_of_open_pages(server, server.path(BIG), bench.open_pages)
        rows.append([f"{bench.open_pages} pages of {BIG.title} at once", server.name, report.mebibytes(peak)])
    for server in bench.servers(IN_PRODUCTION, "tls", tls=True):
        responses.check(server, SMALL)
        for protocol in PROTOCOLS:
            held = idle_connections(server, bench.idle_connections, protocol)
            rows.append([f"{bench.idle_connections:,} idle TLS connections, {protocol}", server.name, report.mebibytes(held)])
    report.print_table("Resident memory", ["with", "", "resident"], rows)


def start(bench):
    rows = []
    for program in installed(PROGRAMS):
        times = [first_response(lambda: program(bench.work, bench.origins["plain"])) for _ in range(bench.rounds)]
        rows.append([program.name, f"{statistics.median(times) * 1000:.0f} ms"])
    report.print_table("From the start of the program to its first response", ["", "median"], rows)


def installed(programs):
    return [program for program in programs if program.is_installed()]


SCENARIOS = {"plain": plain, "gzip": gzip, "deployed": deployed, "memory": memory, "start": start}


if __name__ == "__main__":
    sys.exit(main())
