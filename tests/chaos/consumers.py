"""Consumers that walk pages, changes and batches without a pause, and compare each response with what it has to be."""

import asyncio
import json
import random
import re
import time
from dataclasses import dataclass, field

import world
from client import Connection, Cut, Failed

# How many exchanges a connection lives, on average.
LIFE = 60
# A consumer pauses up to so long between two requests.
PAUSE = 0.02


@dataclass
class Exchange:
    """One request, and what became of it."""

    what: str
    begin: float
    end: float = 0
    # Name and certificate of the replica, if the connection got that far.
    replica: str | None = None
    status: int | None = None
    id: str | None = None
    # Graph's or the proxy's code of an error.
    code: str | None = None
    # `whole`, `cut`, `failed`, or `unconnected`.
    came: str = "failed"
    why: str = ""
    # The keys of the link and the tokens in the request.
    keys: set = field(default_factory=set)


@dataclass
class Keys:
    """What the keys make, and what has become of each so far."""

    tokens: dict = field(default_factory=dict)
    # Those that a replica may put first by now, and those that a replica may have dropped by now.
    promoted: set = field(default_factory=set)
    retired: set = field(default_factory=set)


@dataclass
class Ledger:
    exchanges: list = field(default_factory=list)
    # What no fault excuses, by kind: `wrong`, `unsanitized`.
    problems: list = field(default_factory=list)
    fingerprints: set = field(default_factory=set)
    generations: set = field(default_factory=set)

    def problem(self, kind, what, detail):
        self.problems.append((kind, f"{what}: {detail}"))


class Broken(Exception):
    """The job cannot go on; the ledger knows why."""


class Consumer:
    def __init__(self, replicas, keys, ledger, seed):
        self.replicas, self.keys, self.ledger = replicas, keys, ledger
        self.random = random.Random(seed)
        self.connection = None
        # The token of each person that this consumer knows.
        self.people = {}
        # The link to the next round of changes, its number, and the key of the walk.
        self.delta = None

    async def run(self, ended):
        await self.attempt(self.walk_people)
        jobs = [self.walk_people, self.walk_mail, self.walk_mail, self.busy_mailbox, self.changes, self.batch, self.refused]
        while not ended.is_set():
            await self.attempt(self.random.choice(jobs))
        if self.connection:
            self.connection.close()

    async def attempt(self, job):
        try:
            await job()
        except Broken:
            pass

    async def walk_people(self):
        await self.walk("people", "/v1.0/users?$top=7", None, lambda tokens, n: tokens.user(n), world.PEOPLE)

    async def walk_mail(self):
        n, token = self.somebody()
        await self.walk(
            "mail",
            f"/v1.0/users/{token}/messages?$top={self.random.choice([8, 15, 30])}",
            key_of(token),
            lambda tokens, m: tokens.message(n, m),
            world.messages(n),
        )

    async def busy_mailbox(self):
        if token := self.people.get(world.BUSY):
            target = f"/v1.0/users/{token}/messages?$top=1000"
            count = world.messages(world.BUSY)
            await self.walk("page", target, key_of(token), lambda tokens, m: tokens.message(world.BUSY, m), count)

    def somebody(self):
        known = [n for n in self.people if n != world.BUSY]
        if not known:
            raise Broken
        n = self.random.choice(known)
        return n, self.people[n]

    async def walk(self, what, target, key, expected, count):
        """Every page of a list, to its end."""
        at, walks_key = 0, None
        while target:
            response, made_with = await self.get(what, target, key, walks_key)
            walks_key = key = made_with
            page = self.json(what, response)
            objects = page["value"]
            tokens = self.keys.tokens[made_with]
            right = [expected(tokens, n) for n in range(at, at + len(objects))]
            if objects != right:
                self.wrong(what, f"{target}: {first_difference(objects, right)}")
            if what == "people":
                self.people |= {at + n: user["id"] for n, user in enumerate(objects)}
            at += len(objects)
            target = self.link(what, page, "@odata.nextLink")
        if at != count:
            self.wrong(what, f"the walk ended after {at} of {count} objects")

    async def changes(self):
        """The first walk, or the next round after it."""
        if self.delta is None:
            target, round, key = "/v1.0/users/delta", 0, None
        else:
            target, round, key = self.delta
        at, walks_key = 0, key
        while target:
            try:
                response, made_with = await self.get("changes", target, walks_key, walks_key)
            except Broken:
                if walks_key in self.keys.retired:
                    self.delta = None
                raise
            walks_key = made_with
            page, tokens = self.json("changes", response), self.keys.tokens[made_with]
            right = changes_of(round, tokens, at, len(page["value"]))
            if page["value"] != right:
                self.wrong("changes", f"round {round}: {first_difference(page['value'], right)}")
            at += len(page["value"])
            target = self.link("changes", page, "@odata.nextLink")
            if not target:
                self.delta = self.link("changes", page, "@odata.deltaLink"), round + 1, walks_key

    async def batch(self):
        items, expected = [], []
        for number in range(self.random.randint(2, 8)):
            kind = self.random.choice(["people", "person", "mail", "refused"])
            n, token = self.somebody()
            url, right, key = {
                "people": ("/users?$top=5", lambda tokens: {"value": [tokens.user(n) for n in range(5)]}, None),
                "person": (f"/users/{token}", lambda tokens, n=n: tokens.user(n), key_of(token)),
                "mail": (
                    f"/users/{token}/messages?$top=6",
                    lambda tokens, n=n: {"value": [tokens.message(n, m) for m in range(6)]},
                    key_of(token),
                ),
                "refused": ("/me/messages", None, None),
            }[kind]
            items.append({"id": str(number), "method": "GET", "url": url})
            expected.append((right, key))
        body = json.dumps({"requests": items}).encode()
        response, exchange = await self.ask("batch", "POST", "/v1.0/$batch", body=body)
        if response.status != 200:
            raise Broken
        responses = self.json("batch", response)["responses"]
        if [item["id"] for item in responses] != [item["id"] for item in items]:
            self.wrong("batch", f"other ids: {[item['id'] for item in responses]}")
        for item, (right, key) in zip(responses, expected, strict=True):
            self.check_item(item, right, key, exchange)

    def check_item(self, item, right, key, exchange):
        status, headers = item["status"], {name.lower(): value for name, value in item.get("headers", {}).items()}
        inner = Exchange("item", exchange.begin, exchange.end, exchange.replica, status, came="whole", keys={key})
        if error := item["body"].get("error"):
            inner.id, inner.code = error["innerError"]["request-id"], error["code"]
        self.ledger.exchanges.append(inner)
        if right is None:
            if status != 403:
                self.wrong("batch", f"a refused item has status {status}")
            inner.what = "refused"
        elif status == 200:
            keys = [headers["glassine-keys"]] if "glassine-keys" in headers else self.keys.promoted
            found = {name: value for name, value in item["body"].items() if not name.startswith("@odata")}
            if not any(found == right(self.keys.tokens[made_with]) for made_with in keys):
                self.wrong("batch", f"an item is {json.dumps(item['body'])[:300]}")

    async def refused(self):
        """What the rules do not open, and a request without a credential."""
        response, exchange = await self.ask("refused", "GET", "/v1.0/me/messages")
        if response.status != 403:
            self.wrong("refused", f"/v1.0/me/messages has status {response.status}")
        if self.random.random() < 0.2:
            response, exchange = await self.ask("unknown", "GET", "/v1.0/users", bearer=None)
            if response.status != 401:
                self.wrong("unknown", f"a request without a credential has status {response.status}")

    async def get(self, what, target, key, walks_key):
        """A response with status 200, and the key that its tokens are made with."""
        response, _ = await self.ask(what, "GET", target, key)
        if response.status != 200:
            raise Broken
        made_with = response.headers.get("glassine-keys", "")
        if walks_key and made_with != walks_key:
            self.wrong(what, f"a walk that began with key {walks_key} got tokens of {made_with}")
        if not walks_key and made_with not in self.keys.promoted:
            self.wrong(what, f"tokens of key {made_with}, which no replica may use yet")
        self.ledger.fingerprints.add(response.headers.get("glassine-rules"))
        return response, made_with

    async def ask(self, what, method, target, key=None, body=b"", bearer=True):
        await asyncio.sleep(self.random.random() * PAUSE)
        # A link repeats the token of the path that it was asked by, which may be of an older key.
        exchange = Exchange(what, time.time(), keys={key, *re.findall("p~(.)", target)})
        self.ledger.exchanges.append(exchange)
        try:
            connection = await self.connected(exchange)
            response = await connection.ask(method, target, self.headers(bearer, body), body)
            exchange.came, exchange.status, exchange.id = "whole", response.status, response.headers.get("request-id")
            exchange.code = self.code(what, response)
        except Failed as error:
            exchange.came, exchange.why = "failed" if error.sent else "unconnected", str(error)
            self.connection = None
            raise Broken from error
        except Cut as error:
            exchange.came, exchange.status, exchange.why = "cut", error.status, str(error)
            exchange.id = error.headers.get("request-id")
            self.connection = None
            raise Broken from error
        finally:
            exchange.end = time.time()
        if world.MARK in response.raw.lower():
            at = response.raw.lower().index(world.MARK)
            self.ledger.problem("unsanitized", what, response.raw[max(0, at - 60) : at + 60])
        return response, exchange

    async def connected(self, exchange):
        # So that an end of the connection that has arrived is noticed.
        await asyncio.sleep(0)
        if self.connection and (not self.connection.is_open() or self.random.random() < 1 / LIFE):
            self.connection.close()
            self.connection = None
        if self.connection is None:
            self.connection = await Connection.open(self.replicas.port, self.replicas.trust)
        replica, generation = self.replicas.owner(self.connection.certificate)
        exchange.replica = replica.name
        self.ledger.generations.add((replica.name, generation))
        return self.connection

    def headers(self, bearer, body):
        headers = {"host": f"127.0.0.1:{self.replicas.port}"}
        if bearer:
            headers["Authorization"] = f"Bearer {self.replicas.bearer}"
        if body:
            headers["Content-Type"] = "application/json"
        if self.random.random() < 0.5:
            headers["Accept-Encoding"] = "gzip"
        return headers

    def json(self, what, response):
        try:
            return response.json()
        except ValueError as error:
            self.ledger.problem("truncated but clean", what, f"{error}: {response.body[-80:]}")
            raise Broken from error

    def code(self, what, response):
        """The code in the body of an error."""
        return self.json(what, response)["error"]["code"] if response.status >= 400 else None

    def link(self, what, page, name):
        link = page.get(name)
        if link is None:
            return None
        if not link.startswith(f"{self.replicas.public}/"):
            self.wrong(what, f"a link leads to {link}")
        return link.removeprefix(self.replicas.public)

    def wrong(self, what, detail):
        self.ledger.problem("wrong", what, detail)
        raise Broken


def key_of(token):
    """The id of the key that made a token: the character behind `p~`."""
    return token[2]


def changes_of(round, tokens, at, count):
    if round == 0:
        return [tokens.user(n) for n in range(at, at + count)]
    *there, gone = world.changed(round)
    removed = {"id": tokens.hide("id", world.user_id(gone)), "@removed": {"reason": "changed"}}
    return [*(tokens.user(n) for n in there), removed]


def first_difference(objects, right):
    for got, wanted in zip(objects, right):
        if got != wanted:
            return f"{json.dumps(got)[:300]} in place of {json.dumps(wanted)[:300]}"
    return f"{len(objects)} objects in place of {len(right)}"
