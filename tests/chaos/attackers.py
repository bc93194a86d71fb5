"""Who holds connections of the proxy: honest clients that are idle, and strangers. A program of its own.

    attackers.py idle PORT COUNT BEARER
    attackers.py hold PORT COUNT ADDRESSES
    attackers.py silent PORT PER_SECOND ADDRESSES

`idle` opens connections from many addresses, each with one request of a known consumer, and another one now and then, so
that they are kept. `hold` keeps connections, each with one request without a credential in 20 seconds. `silent` opens
connections that say nothing, so many in a second. All open again what the proxy closes. A line per second says how many
connections are open, and how many were opened.
"""

import asyncio
import itertools
import sys
import time

# The proxy closes a connection of HTTP/1 that has no request for 30 seconds.
IDLE_EVERY = 20
HOLD_EVERY = 20
PER_ADDRESS = 250
OPENING = 100


class Held(asyncio.Protocol):
    """One connection. Reads and forgets."""

    def __init__(self, crowd):
        self.crowd = crowd

    def connection_made(self, transport):
        self.transport = transport
        self.crowd.open.add(self)

    def connection_lost(self, _):
        self.crowd.open.discard(self)


class Crowd:
    def __init__(self, port, addresses):
        self.port = port
        self.addresses = itertools.cycle(addresses)
        self.open = set()
        self.opened = 0

    async def connect(self):
        try:
            loop = asyncio.get_running_loop()
            source = (next(self.addresses), 0)
            _, held = await loop.create_connection(lambda: Held(self), "127.0.0.1", self.port, local_addr=source)
        except OSError:
            return None
        self.opened += 1
        return held

    async def keep(self, request, every):
        """One connection, whatever happens to it, with one request in a while."""
        held = None
        while True:
            if held is None or held not in self.open:
                held = await self.connect()
            if held is None:
                await asyncio.sleep(1)
                continue
            held.transport.write(request)
            until = time.monotonic() + every
            while held in self.open and time.monotonic() < until:
                await asyncio.sleep(0.5)

    async def silent(self, per_second):
        while True:
            await self.connect()
            await asyncio.sleep(1 / per_second)

    async def tell(self):
        while True:
            print(len(self.open), self.opened, flush=True)
            await asyncio.sleep(1)


def loopback(count):
    """Addresses of this machine: all of 127.0.0.0/8 are."""
    return [f"127.0.{1 + n // 250}.{1 + n % 250}" for n in range(count)]


def request(port, credential):
    return f"GET /v1.0/me/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{credential}\r\n".encode()


async def main(kind, port, number, *more):
    telling = []
    if kind == "idle":
        crowd = Crowd(port, loopback(number // PER_ADDRESS + 1))
        asked, every, count = request(port, f"Authorization: Bearer {more[0]}\r\n"), IDLE_EVERY, number
    else:
        crowd = Crowd(port, loopback(int(more[0])))
        asked, every, count = request(port, ""), HOLD_EVERY, number
    telling.append(asyncio.create_task(crowd.tell()))
    if kind == "silent":
        await crowd.silent(number)
    keeping = []
    for n in range(count):
        keeping.append(asyncio.create_task(crowd.keep(asked, every)))
        if n % OPENING == OPENING - 1:
            await asyncio.sleep(0.05)
    await asyncio.gather(*keeping)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
