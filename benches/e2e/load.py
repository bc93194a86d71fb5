"""Load from wrk or h2load, and its cost for the server."""

import re
import statistics
import subprocess
from dataclasses import dataclass

from workspace import OTHER_CORE

# Longer than the slowest server needs for a page with all connections waiting.
ANSWER_LIMIT = 60
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


@dataclass(frozen=True)
class Run:
    """The numbers that wrk or h2load reports."""

    requests: int
    rate: float
    p50: float
    p99: float


@dataclass(frozen=True)
class Load:
    """One run, or the median of several. Times are in seconds; those of the CPU are per request. Memory is in bytes."""

    cpu: float
    kernel: float
    p50: float
    p99: float
    rate: float
    peak: int

    @classmethod
    def median(cls, runs):
        return cls(*(statistics.median(getattr(run, name) for run in runs) for name in cls.__dataclass_fields__))


def run_wrk(server, path, connections, seconds, gzip=False):
    """Sends requests over HTTP/1.1."""
    command = ["wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", f"{ANSWER_LIMIT}s"]
    load = measure(server, [*command, *asking(server, path, gzip)], seconds, read_wrk)
    return load or run_wrk(server, path, connections, 2 * seconds, gzip)


def run_h2load(server, path, connections, seconds, gzip=False):
    """Sends requests over HTTP/2, one at a time on each connection."""
    log = server.work.folder / "h2load.log"
    command = ["h2load", "-t1", f"-c{connections}", "-m1", f"-D{seconds}s", f"--log-file={log}"]
    load = measure(server, [*command, *asking(server, path, gzip)], seconds, lambda text: read_h2load(text, log))
    return load or run_h2load(server, path, connections, 2 * seconds, gzip)


def asking(server, path, gzip):
    headers = server.headers | ({"Accept-Encoding": "gzip"} if gzip else {})
    fields = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    return [*fields, server.base + path]


def measure(server, command, seconds, read):
    """None if the time was too short to measure: large pages on a busy machine."""
    user, kernel = server.process.cpu()
    limit = seconds + 2 * ANSWER_LIMIT
    done = subprocess.run(["taskset", "-c", str(OTHER_CORE), *command], capture_output=True, text=True, timeout=limit)
    user_now, kernel_now = server.process.cpu()
    run, spent = read(done.stdout), user_now - user + kernel_now - kernel
    too_short = run and not (run.requests and spent)
    if done.returncode or not run or (too_short and seconds > ANSWER_LIMIT):
        raise SystemExit(f"{server.name}: not every request got a response\n{done.stdout}{done.stderr}")
    if too_short:
        return None
    return Load(
        cpu=spent / run.requests,
        kernel=(kernel_now - kernel) / run.requests,
        p50=run.p50,
        p99=run.p99,
        rate=run.rate,
        peak=server.process.resident("VmHWM"),
    )


def read_wrk(text):
    found = re.search(r"(\d+) requests in", text)
    if not found or re.search(r"Non-2xx|Socket errors", text):
        return None
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    return Run(int(found[1]), rate, latency(text, "50%"), latency(text, "99%"))


def latency(text, percentile):
    number, unit = re.search(rf"^\s+{percentile}\s+([\d.]+)(\w+)\s*$", text, re.MULTILINE).groups()
    return float(number) * UNITS[unit]


def read_h2load(text, log):
    """A row of the log is a response: when its request began, its status, and how many microseconds it took."""
    rows = [line.split() for line in log.read_text().splitlines()]
    log.unlink()
    rate = re.search(r"finished in [\w.]+, ([\d.]+) req/s", text)
    if any(status != "200" for _, status, _ in rows) or "Application protocol: h2" not in text:
        return None
    if len(rows) < 2:
        return Run(0, 0, 0, 0)
    times = statistics.quantiles((int(elapsed) / 1e6 for _, _, elapsed in rows), n=100, method="inclusive")
    return Run(len(rows), float(rate[1]), times[49], times[98])
