"""A temporary folder, processes that end with it, and the kernel's numbers about them."""

import os
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BUILT = TARGET / os.environ["PROFILE"]
# The Python environment that `run` creates.
INSTALLED = TARGET / "e2e"
START_LIMIT = 30
STOP_LIMIT = 5

# The proxy has one core. The origin and the load generator share the other.
_CORES = sorted(os.sched_getaffinity(0))
PROXY_CORE, OTHER_CORE = _CORES[0], _CORES[-1]
# The load generator must not run on the proxy's core.
os.sched_setaffinity(0, {OTHER_CORE})


class Workspace:
    """Ends every process that was started in the block, even after an error."""

    def __init__(self, folder):
        self.folder = folder
        self.started = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.started:
            process.end()

    def write(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def start(self, core, command, port, environment=None):
        """Starts a program on a core, and waits until its port takes connections."""
        log = self.folder / f"{port}.log"
        process = Process(core, [str(word) for word in command], log, environment)
        self.started.append(process)
        process.wait_for(port)
        return process


class Process:
    def __init__(self, core, command, log, environment):
        self.log = log
        self.began = time.monotonic()
        with log.open("wb") as output:
            self.popen = subprocess.Popen(
                ["taskset", "-c", str(core), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=os.environ | (environment or {}),
            )

    def wait_for(self, port):
        while time.monotonic() < self.began + START_LIMIT:
            if self.popen.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.002)
        raise SystemExit(f"{self.popen.args} does not listen on {port}:\n{self.log.read_text()[-2000:]}")

    def end(self):
        self.popen.terminate()
        try:
            self.popen.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()

    def family(self):
        """The process and its children: nginx serves requests in a child."""
        pid = self.popen.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [Path(f"/proc/{it}") for it in (pid, *children)]

    def cpu(self):
        """Seconds of CPU so far: user time and system time."""
        user = system = 0
        for proc in self.family():
            # The second field is a name in parentheses that may contain spaces.
            fields = (proc / "stat").read_text().rpartition(")")[2].split()
            user, system = user + int(fields[11]), system + int(fields[12])
        tick = os.sysconf("SC_CLK_TCK")
        return user / tick, system / tick

    def resident(self, field):
        """`VmRSS` (now) or `VmHWM` (the most since `forget_peak`), in bytes."""
        lines = [line for proc in self.family() for line in (proc / "status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))

    def forget_peak(self):
        for proc in self.family():
            (proc / "clear_refs").write_text("5")


# The sockets that reserve ports, until this program ends.
RESERVED = []


def reserved_port():
    """A port that nobody gets by chance: the kernel gives the port of a socket that is bound to no connection and to nobody who
    asks for any port. With SO_REUSEADDR, which servers set, another program can listen on it."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    RESERVED.append(held)
    return held.getsockname()[1]


def first_response(make):
    """Seconds from the start of a server to its first response."""
    server = make()
    server.get("/v1.0/users")
    elapsed = time.monotonic() - server.process.began
    server.process.end()
    return elapsed
