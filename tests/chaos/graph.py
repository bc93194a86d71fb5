"""Stands for Graph and Entra, and fails on command. A program of its own, so that it has its own core.

    graph.py PORT FAULTS

A POST to /weather with {"kind": …, "seconds": …, "share": …} makes that share of the requests fail in that way for so
long. Each fault is a line of the file FAULTS: when it was, which request it hit (by Graph's `client-request-id`, which is
the proxy's `request_id`), and which kind it was.
"""

import asyncio
import json
import random
import socket
import struct
import sys
import time
import urllib.parse

import world

# A piece of a slow page, and the pause after it: such a page takes about half a second.
PIECE = 16 * 1024
PAUSE = 0.01
NO_LINGER = struct.pack("ii", 1, 0)


class Graph:
    def __init__(self, port, faults):
        self.base = f"http://127.0.0.1:{port}"
        self.faults = faults
        # Until when, and for which share of the requests, by kind.
        self.weather = {}
        # Connections that a balancer has closed unseen: whatever comes on them is reset.
        self.dead = set()
        self.open = set()

    async def connected(self, reader, writer):
        self.open.add(writer)
        try:
            while request := await read_request(reader):
                if writer in self.dead:
                    raise Reset
                await self.respond(writer, *request)
        except Reset:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open.discard(writer)
            self.dead.discard(writer)
            writer.transport.abort()

    async def respond(self, writer, method, target, headers, body):
        path, _, query = target.partition("?")
        if path == "/weather":
            self.change_weather(json.loads(body))
            return await write(writer, 200, b"{}")
        if path.endswith("/oauth2/v2.0/token"):
            if self.fault("token", headers):
                return await write(writer, 503, b"{}")
            return await write(writer, 200, b'{"token_type":"Bearer","expires_in":3599,"access_token":"canary-access"}')
        if headers.get("authorization") != "Bearer canary-access":
            return await write(writer, 401, error("InvalidAuthenticationToken"))
        options = dict(urllib.parse.parse_qsl(query))
        found = self.find(urllib.parse.unquote(path).split("/")[2:], options)
        if found is None:
            return await write(writer, 404, error("ErrorItemNotFound"))
        await self.send(writer, headers, found, slowly=len(found) > 8 * PIECE)

    def change_weather(self, change):
        if change["kind"] == "dead":
            self.dead |= self.open
        else:
            self.weather[change["kind"]] = (time.monotonic() + change["seconds"], change["share"])

    def fault(self, kind, headers):
        """Whether this request has this fault now. Notes it."""
        until, share = self.weather.get(kind, (0, 0))
        if time.monotonic() >= until or random.random() >= share:
            return False
        line = {"time": time.time(), "id": headers.get("client-request-id"), "kind": kind}
        self.faults.write(json.dumps(line) + "\n")
        self.faults.flush()
        return True

    def find(self, path, options):
        match path:
            case ["users"]:
                return self.list("users", options, world.PEOPLE, world.user, options.get("$top"))
            case ["users", "delta" | "delta()" | "microsoft.graph.delta()"]:
                return self.changes(options)
            case ["users", user] if user in USERS:
                return json.dumps(world.user(USERS[user])).encode()
            case ["users", user, "messages"] if user in USERS:
                n = USERS[user]
                top = options.get("$top")
                here = f"users/{user}/messages"
                return self.list(here, options, world.messages(n), lambda m: world.message(n, m), top)
        return None

    def list(self, path, options, count, one, top):
        """A page of a list. The link to the next one repeats the size of pages."""
        begin = int(options.get("$skiptoken", "canary0").removeprefix("canary"))
        size = int(top or world.PAGE)
        end = min(begin + size, count)
        link = f"{self.base}/v1.0/{path}?$top={size}&$skiptoken=canary{end}"
        return world.page([one(n) for n in range(begin, end)], {"@odata.nextLink": link} if end < count else None)

    def changes(self, options):
        path = f"{self.base}/v1.0/users/delta"
        if "$deltatoken" in options:
            round = int(options["$deltatoken"].removeprefix("canary"))
            *there, gone = world.changed(round)
            objects = [world.user(n) for n in there]
            objects.append({"id": world.user_id(gone), "@removed": {"reason": "changed"}})
            return world.page(objects, {"@odata.deltaLink": f"{path}?$deltatoken=canary{round + 1}"})
        begin = int(options.get("$skiptoken", "canary0").removeprefix("canary"))
        end = min(begin + world.PAGE, world.PEOPLE)
        link = {"@odata.nextLink": f"{path}?$skiptoken=canary{end}"}
        if end == world.PEOPLE:
            link = {"@odata.deltaLink": f"{path}?$deltatoken=canary1"}
        return world.page([world.user(n) for n in range(begin, end)], link)

    async def send(self, writer, headers, body, slowly):
        if self.fault("reset", headers):
            raise Reset
        if self.fault("silence", headers):
            await asyncio.sleep(60)
        for status, code in [(429, "ApplicationThrottled"), (503, "serviceNotAvailable")]:
            for wait in ["1", "20"]:
                if self.fault(f"{status} {wait}", headers):
                    return await write(writer, status, error(code), {"Retry-After": wait})
        if self.fault("delay", headers):
            await asyncio.sleep(random.uniform(0.2, 0.8))
        length = len(body)
        if cut := self.fault("cut", headers):
            body = body[: random.randrange(length)]
        if slowly:
            await write_slowly(writer, body, whole=not cut)
        else:
            await write(writer, 200, body, length=length)
        if cut:
            raise Reset if random.random() < 0.5 else ConnectionAbortedError


class Reset(Exception):
    """Ends the connection with a reset."""


USERS = {world.user_id(n): n for n in range(world.PEOPLE)}


async def read_request(reader):
    """None at the end of the connection."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    line, *fields = head.split("\r\n")
    method, target, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields if field)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, target, headers, body


def error(code):
    return json.dumps({"error": {"code": code, "message": "canary", "innerError": {"user": "canary"}}}).encode()


async def write(writer, status, body, more=None, length=None):
    fields = {"Content-Type": "application/json", "Content-Length": len(body) if length is None else length}
    fields |= more or {}
    head = f"HTTP/1.1 {status} Canary\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    writer.write(head.encode() + b"\r\n" + body)
    await writer.drain()


async def write_slowly(writer, body, whole):
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for at in range(0, len(body), PIECE):
        piece = body[at : at + PIECE]
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(PAUSE)
    if whole:
        writer.write(b"0\r\n\r\n")
        await writer.drain()


async def main(port, faults):
    with open(faults, "a", encoding="utf-8") as file:
        graph = Graph(port, file)
        server = await asyncio.start_server(graph.connected, "127.0.0.1", port, limit=1 << 20, backlog=1024)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
