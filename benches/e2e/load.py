"""Load by wrk, and what it cost the server."""

import re
import statistics
import subprocess
from dataclasses import dataclass

from workspace import OTHER_CORE

# Above what the slowest server needs for a page when all connections wait for it.
ANSWER_LIMIT = 60
UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}


@dataclass(frozen=True)
class Load:
    """One run, or the median of several. Times are in seconds, and of CPU per request; memory in bytes."""

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
    headers = server.headers | ({"Accept-Encoding": "gzip"} if gzip else {})
    command = ["taskset", "-c", str(OTHER_CORE), "wrk", "--latency", "-t1", f"-c{connections}", f"-d{seconds}s"]
    command += ["--timeout", f"{ANSWER_LIMIT}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    user, kernel = server.process.cpu()
    done = subprocess.run([*command, server.base + path], capture_output=True, text=True, timeout=seconds + 2 * ANSWER_LIMIT)
    user_now, kernel_now = server.process.cpu()
    requests = answered(server, done)
    return Load(
        cpu=(user_now - user + kernel_now - kernel) / requests,
        kernel=(kernel_now - kernel) / requests,
        p50=latency(done.stdout, "50%"),
        p99=latency(done.stdout, "99%"),
        rate=float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)[1]),
        peak=server.process.resident("VmHWM"),
    )


def answered(server, done):
    """How many requests were answered; a single one that went wrong ends the benchmark."""
    found = re.search(r"(\d+) requests in", done.stdout)
    wrong = re.search(r"Non-2xx|Socket errors", done.stdout)
    if done.returncode or wrong or not found or not int(found[1]):
        raise SystemExit(f"{server.name}: not every request was answered\n{done.stdout}{done.stderr}")
    return int(found[1])


def latency(text, percentile):
    number, unit = re.search(rf"^\s+{percentile}\s+([\d.]+)(\w+)\s*$", text, re.MULTILINE).groups()
    return float(number) * UNITS[unit]
