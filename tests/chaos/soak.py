"""One proxy under load for minutes: whether its memory, descriptors and threads stay flat, and what an honest consumer
notices of idle connections and of attacks. Prints the table of docs/RELIABILITY.md. See README.md."""

import argparse
import asyncio
import datetime
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from client import Connection, Cut, Failed
from replicas import HERE, ROOT, Place, Set

IDLE = 10_000
# More than the idle connections, so that they are not in each other's way.
ROOMY = IDLE + 2_000
HOLDERS = 1_300
SILENT_PER_SECOND = 46
# The honest consumer's requests in a second, on connections that it keeps; and how often a newcomer comes.
RATE = 50
NEWCOMERS = 5
# In the second half of the steady time, memory may not grow by more than this share or these bytes.
GROWTH, GROWTH_BYTES = 0.03, 4 << 20
# How many descriptors may come and go with connections. Each connection has a few tasks.
WOBBLE = 40
# A newcomer that waits longer was kept out.
PATIENCE = 10


@dataclass
class Phase:
    name: str
    latencies: list = field(default_factory=list)
    newcomers: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    samples: list = field(default_factory=list)
    seconds: float = 0
    audit: int = 0
    log: int = 0
    attack: str = ""


@dataclass(frozen=True)
class Sample:
    time: float
    memory: int
    descriptors: int
    threads: int
    tasks: int


class Neighbour:
    """An honest consumer: some connections that it keeps, and newcomers that come and go."""

    def __init__(self, proxies, proxy):
        self.bearer, self.port = proxies.bearer, proxy.port
        self.phase = None
        self.tasks = []
        # The newcomers that have no response yet.
        self.waiting = set()

    def begin(self):
        self.tasks = [asyncio.create_task(self.keep(n)) for n in range(4)]
        self.tasks.append(asyncio.create_task(self.come_and_go()))

    async def keep(self, n):
        connection = None
        while True:
            await asyncio.sleep(4 / RATE)
            if connection is None or not connection.is_open():
                connection = await self.connect()
            if connection and not await self.ask(connection, self.phase.latencies):
                connection = None

    async def come_and_go(self):
        while True:
            await asyncio.sleep(1 / NEWCOMERS)
            newcomer = asyncio.create_task(self.come())
            self.waiting.add(newcomer)
            newcomer.add_done_callback(self.waiting.discard)

    async def come(self):
        began, phase = time.monotonic(), self.phase
        if connection := await self.connect():
            await self.ask(connection, phase.newcomers, began)
            connection.close()

    async def connect(self):
        phase = self.phase
        try:
            return await asyncio.wait_for(Connection.open(self.port, None), PATIENCE)
        except (Failed, TimeoutError) as error:
            phase.failed.append(f"connect: {error!r}")
            return None

    async def ask(self, connection, latencies, began=None):
        phase, began = self.phase, began or time.monotonic()
        headers = {"host": f"127.0.0.1:{self.port}", "Authorization": f"Bearer {self.bearer}"}
        try:
            asking = connection.ask("GET", "/v1.0/users?$top=10", headers)
            response = await asyncio.wait_for(asking, PATIENCE)
        except (Failed, Cut, TimeoutError) as error:
            phase.failed.append(f"{error!r}")
            return False
        if response.status == 200:
            latencies.append(time.monotonic() - began)
        else:
            phase.failed.append(f"status {response.status}")
        return True


class Soak:
    def __init__(self, place, proxies):
        self.place, self.proxies, self.proxy = place, proxies, proxies.replicas[0]
        self.phases = []
        self.problems = []
        # The idle connections, which outlast their phase.
        self.crowd = None

    async def run(self, plan):
        neighbour = Neighbour(self.proxies, self.proxy)
        for name, seconds, attack in plan:
            phase = Phase(name, seconds=seconds)
            neighbour.phase = phase
            if not neighbour.tasks:
                neighbour.begin()
            self.phases.append(phase)
            before = self.sizes()
            started = attack() if attack else []
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                phase.samples.append(await asyncio.to_thread(self.sample))
                await asyncio.sleep(1)
            # The attack goes on until the newcomers of this phase know.
            neighbour.phase = Phase("between")
            if neighbour.waiting:
                await asyncio.wait(list(neighbour.waiting))
            told = [ended(self.place, process, log) for process, log in started]
            phase.attack = ", ".join([*told, *([last_line(self.place, self.crowd)] if self.crowd else [])])
            phase.audit, phase.log = [after - was for after, was in zip(self.sizes(), before)]
            print(row(phase), flush=True)
        for task in neighbour.tasks:
            task.cancel()

    def sample(self):
        folder = Path(f"/proc/{self.proxy.process.pid}")
        status = dict(re.findall(r"(VmRSS|Threads):\s+(\d+)", (folder / "status").read_text()))
        descriptors = len(os.listdir(folder / "fd"))
        tasks = int(self.proxy.metric("glassine_tasks") or 0)
        return Sample(time.monotonic(), int(status["VmRSS"]) * 1024, descriptors, int(status["Threads"]), tasks)

    def sizes(self):
        audit = sum(file.stat().st_size for file in self.proxy.folder.glob("audit*"))
        return audit, (self.place.folder / f"{self.proxy.name}.log").stat().st_size

    def attacker(self, *words):
        log = f"{self.proxy.name}-{words[0]}.log"
        return self.place.spawn(log, [sys.executable, HERE / "attackers.py", words[0], self.proxy.port, *words[1:]]), log

    def hold_idle(self):
        self.crowd = self.attacker("idle", IDLE, self.proxies.bearer)
        return []

    def fill(self, seconds):
        target = f"http://127.0.0.1:{self.proxy.port}/v1.0/users"
        command = ["wrk", "-t1", "-c100", f"-d{max(1, int(seconds) - 1)}s", "-s", HERE / "fill.lua", target]
        return [(self.place.spawn("wrk.log", command), "wrk.log")]

    def hold(self, addresses):
        return [self.attacker("hold", HOLDERS, addresses), self.attacker("silent", SILENT_PER_SECOND, addresses)]

    def judge_flat(self, phase):
        """The steady phase: its second half."""
        half = phase.samples[len(phase.samples) // 2 :]
        first, last = half[: len(half) // 4 or 1], half[-(len(half) // 4 or 1) :]
        for name, allowed in [("memory", None), ("descriptors", WOBBLE), ("threads", 2), ("tasks", 3 * WOBBLE)]:
            before, after = [statistics.median(getattr(it, name) for it in part) for part in (first, last)]
            allowed = max(GROWTH * before, GROWTH_BYTES) if allowed is None else allowed
            if after - before > allowed:
                self.problems.append(f"{phase.name}: {name} grew from {before:,.0f} to {after:,.0f}")

    def judge_neighbour(self, phase):
        if phase.failed:
            self.problems.append(f"{phase.name}: {len(phase.failed)} failures, the first: {phase.failed[0]}")


def ended(place, process, log):
    """Ends an attacker. What it told last."""
    if process.args[0] == "wrk":
        process.wait(30)
        text = (place.folder / log).read_text()
        rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
        return f"{float(rate[1]):,.0f} requests/s" if rate else text[-200:]
    process.kill()
    return last_line(place, (process, log))


def last_line(place, attacker):
    """How many connections an attacker has open, and has opened so far."""
    process, log = attacker
    now, opened = (place.folder / log).read_text().split("\n")[-2].split()
    return f"{process.args[2]}: {int(now):,} open, {int(opened):,} opened"


def row(phase):
    def times(latencies):
        if len(latencies) < 2:
            return "–"
        cuts = statistics.quantiles(latencies, n=100, method="inclusive")
        return " / ".join(f"{1000 * value:,.1f}" for value in (cuts[49], cuts[98], max(latencies)))

    memory = statistics.median(it.memory for it in phase.samples[-5:]) / (1 << 20)
    return (
        f"| {phase.name} | {times(phase.latencies)} | {times(phase.newcomers)} | {len(phase.failed)} "
        f"| {memory:,.0f} MiB, {phase.samples[-1].descriptors:,}, {phase.samples[-1].threads}, {phase.samples[-1].tasks:,} "
        f"| {phase.audit / 1e6 / phase.seconds:.2f} | {phase.log / 1e6 / phase.seconds:.3f} | {phase.attack} |"
    )


HEAD = """\
| phase | consumer, ms: p50 / p99 / max | newcomer, ms: p50 / p99 / max | failures \
| memory, descriptors, threads, tasks | audit, MB/s | log, MB/s | attack |
|---|---:|---:|---:|---:|---:|---:|---|"""


def main():
    asked = arguments()
    seconds = 60 * asked.minutes
    print(f"{datetime.date.today()}, {os.cpu_count()} cores, tests/chaos/soak --minutes {asked.minutes:g}\n\n{HEAD}")
    problems = roomy(asked, seconds) + ordinary(asked, seconds)
    for problem in problems:
        print(f"PROBLEM: {problem}")
    sys.exit(1 if problems else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/glassine"
    parser.add_argument("--glassine", type=Path, default=os.environ.get("GLASSINE_BIN", built))
    parser.add_argument("--minutes", type=float, default=10)
    return parser.parse_args()


def started(place, limits):
    proxies = Set.alone(place, limits)
    proxies.start()
    return Soak(place, proxies)


def roomy(asked, seconds):
    """A proxy with room for the idle connections."""
    with tempfile.TemporaryDirectory(prefix="soak") as folder, Place(Path(folder), asked.glassine) as place:
        soak = started(place, f"connections: {ROOMY}")
        fill = 0.1 * seconds
        plan = [
            ("before", 0.05 * seconds, None),
            ("10,000 idle connections open", max(20, 0.05 * seconds), soak.hold_idle),
            ("and stay", 0.4 * seconds, None),
            ("*fill*", fill, lambda: soak.fill(fill)),
            ("after *fill*", 0.1 * seconds, None),
        ]
        asyncio.run(soak.run(plan))
        soak.judge_flat(soak.phases[2])
        for phase in soak.phases:
            soak.judge_neighbour(phase)
        return soak.problems


def ordinary(asked, seconds):
    """A proxy with its default limits."""
    with tempfile.TemporaryDirectory(prefix="soak") as folder, Place(Path(folder), asked.glassine) as place:
        soak = started(place, "drain_seconds: 10")
        # The connections have to be there before they are in the way.
        hold = max(20, 0.1 * seconds)
        plan = [
            ("before *hold*", 0.05 * seconds, None),
            ("*hold* from one address", hold, lambda: soak.hold(1)),
            ("*hold* from 1,300 addresses", hold, lambda: soak.hold(HOLDERS)),
            ("after *hold*", 0.05 * seconds, None),
        ]
        asyncio.run(soak.run(plan))
        for phase in soak.phases:
            soak.judge_neighbour(phase)
        return soak.problems


if __name__ == "__main__":
    main()
