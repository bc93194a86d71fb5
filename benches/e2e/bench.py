"""Measures Glassine beside nginx, hyper alone and a sanitizer in Node, end to end on loopback. See README.md."""

import argparse
import signal
import statistics
import sys
import tempfile
from pathlib import Path

import responses
import origin
import report
from load import Load, run_wrk
from memory import idle_connections, peak_of_open_pages
from pages import BIG, PAGES, PLAIN, SMALL
from servers import Forwarder, Glassine, Nginx, Node
from workspace import Workspace, first_response

# Requests at once, as a consumer's pool would have them: many small pages, a few large ones.
CONNECTIONS = {SMALL: 32, PLAIN: 4, BIG: 4}
# Seconds at the start of a turn that do not count: Node compiles what it runs often, pools are filled, and a program that
# had nothing to do while the others had their turns is in the caches again.
WARM_UP = 1
# Pages open at once, and connections that are silent.
OPEN_PAGES = 256
IDLE_CONNECTIONS = 1000


def main():
    options = arguments()
    # Whoever ends this ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    report.print_setting("TCP congestion control", Path("/proc/sys/net/ipv4/tcp_congestion_control").read_text().strip())
    with tempfile.TemporaryDirectory() as folder, Workspace(Path(folder)) as work:
        bench = Bench(work, options)
        for name, scenario in SCENARIOS.items():
            if options.only in (None, name):
                scenario(bench)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="everything once and briefly: do the servers response rightly?")
    parser.add_argument("--only", choices=SCENARIOS, help="one scenario")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of which the median is taken (%(default)s)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of load per server and round (%(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


class Bench:
    """Servers are started when a scenario first wants them, and measured in turn, so that they share the weather."""

    def __init__(self, work, options):
        self.work, self.quick, self.rounds, self.seconds = work, options.quick, options.rounds, options.seconds
        self.origins = origin.start(work)

    def compare(self, title, servers, pages, gzip=False):
        """One table a page; the median of rounds in which each server has its turn."""
        tables = {}
        for page in pages:
            for server in servers:
                responses.check(server, page, gzip)
            rounds = [[self.turn(server, page, gzip) for server in servers] for _ in range(self.rounds)]
            tables[page] = {server.name: Load.median(runs) for server, runs in zip(servers, zip(*rounds))}
            report.print_loads(f"{title}: {page.title}, {CONNECTIONS[page]} connections", tables[page])
        return tables

    def turn(self, server, page, gzip):
        load = [server, server.path(page), CONNECTIONS[page]]
        if not self.quick:
            run_wrk(*load, WARM_UP, gzip)
        server.process.forget_peak()
        return run_wrk(*load, self.seconds, gzip)


def plain(bench):
    servers = [make(bench.work, bench.origins["plain"]) for make in (Nginx, Forwarder, Node, Glassine)]
    bench.compare("HTTP", servers, PAGES)


def gzip(bench):
    """The sanitizer's share is what Glassine costs above hyper when nothing is compressed."""
    node, glassine = (make(bench.work, bench.origins["gzip"]) for make in (Node, Glassine))
    packed = bench.compare("gzip on both sides", [node, glassine], PAGES, gzip=True)
    forwarder, identity = (make(bench.work, bench.origins["plain"]) for make in (Forwarder, Glassine))
    unpacked = bench.compare("The same without gzip", [forwarder, identity], PAGES)
    shares = []
    for page in PAGES:
        sanitizing = unpacked[page][identity.name].cpu - unpacked[page][forwarder.name].cpu
        shares.append([page.title, report.micros(sanitizing), f"{sanitizing / packed[page][glassine.name].cpu:.0%}"])
    report.print_table("What sanitizing costs of it", ["page", "Glassine above hyper, without gzip", "of its time with gzip"], shares)


def tls(bench):
    http1, http2 = bench.origins["tls"], bench.origins["tls_http2"]
    servers = [make(bench.work, http1, tls=True) for make in (Nginx, Glassine)]
    servers.append(Glassine(bench.work, http2, tls=True, name="Glassine, HTTP/2 to the origin"))
    bench.compare("TLS on both sides", servers, [PLAIN])


def memory(bench):
    rows = []
    for make in (Nginx, Forwarder, Glassine):
        server = make(bench.work, bench.origins["plain"])
        responses.check(server, BIG)
        peak = peak_of_open_pages(server, server.path(BIG), OPEN_PAGES)
        rows.append([f"{OPEN_PAGES} pages of {BIG.title} at once", server.name, report.mebibytes(peak)])
    for make in (Nginx, Glassine):
        server = make(bench.work, bench.origins["tls"], tls=True)
        responses.check(server, SMALL)
        for protocol in server.protocols:
            held = idle_connections(server, IDLE_CONNECTIONS, protocol)
            rows.append([f"{IDLE_CONNECTIONS:,} idle TLS connections, {protocol}", server.name, report.mebibytes(held)])
    report.print_table("Resident memory", ["with", "", "resident"], rows)


def start(bench):
    rows = []
    for make in (Nginx, Forwarder, Node, Glassine):
        times = [first_response(lambda: make(bench.work, bench.origins["plain"])) for _ in range(bench.rounds)]
        rows.append([make.name, f"{statistics.median(times) * 1000:.0f} ms"])
    report.print_table("From the start of the program to its first response", ["", "median"], rows)


SCENARIOS = {"plain": plain, "gzip": gzip, "tls": tls, "memory": memory, "start": start}


if __name__ == "__main__":
    sys.exit(main())
