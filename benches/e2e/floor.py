"""The computed floor: a sanitizer that forwards as hyper does, reads the page once and makes each token once."""

import re
import subprocess
from dataclasses import dataclass

from workspace import BUILT, PROXY_CORE

TOKEN = re.compile(rb"\b[dpt]~[\w-]+")


@dataclass(frozen=True)
class Floor:
    """Seconds of CPU for one page: for each part, and for Glassine."""

    forwarding: float
    tokenizer: float
    tokens: int
    hmac: float
    glassine: float

    @property
    def cpu(self):
        return self.forwarding + self.tokenizer + self.tokens * self.hmac


def compute(page, loads):
    hyper, glassine = (server_named(name, loads) for name in ("hyper", "Glassine"))
    tokenizer, hmac = measure(glassine.origin.folder / page.user)
    # A token that comes again can be copied.
    tokens = len(set(TOKEN.findall(glassine.get(glassine.path(page)).body)))
    return Floor(loads[hyper].cpu, tokenizer, tokens, hmac, loads[glassine].cpu)


def server_named(name, loads):
    return next(server for server in loads if server.name == name)


def measure(page):
    """Seconds to read the page, and for one HMAC."""
    command = ["taskset", "-c", str(PROXY_CORE), BUILT / "floor", page]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(seconds) for seconds in done.stdout.split()]
