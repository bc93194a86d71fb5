"""What happens to the replicas while they serve. Each event waits until it has taken effect, so that a schedule of events
means the same on a slow machine."""

import asyncio
import itertools
import random
import signal
import time
from dataclasses import dataclass, field

from client import Connection, Failed
from replicas import CERTIFICATES, CONSUMER, START_LIMIT, STOP_LIMIT, replace
from world import Tokens

# Files are checked every two seconds.
RELOAD_LIMIT = 8
# How long a change of the keys takes, from staging to retiring.
KEY_CYCLE = 8
# How far apart the replicas get a new file, as from an orchestrator that goes from one to the next.
APART = 0.3

# The faults of Graph: kind, seconds, and the share of requests that they hit.
WEATHER = {
    "resets": [("reset", 1, 0.3)],
    "delays": [("delay", 1.5, 0.5)],
    "throttled": [("429 1", 1, 0.3), ("429 20", 1, 0.2)],
    "unavailable": [("503 1", 1, 0.3), ("503 20", 1, 0.2)],
    "cut bodies": [("cut", 1, 0.4)],
    "silence": [("silence", 1, 0.1)],
    "dead connections": [("dead", 0, 0)],
    "no tokens": [("token", 2, 1)],
}


@dataclass
class Timeline:
    """When which replica was killed (and until when it was not ready), and what failed on the way."""

    began: float = field(default_factory=time.time)
    kills: list = field(default_factory=list)
    stops: list = field(default_factory=list)
    problems: list = field(default_factory=list)

    def say(self, what):
        print(f"{time.time() - self.began:6.1f} s  {what}", flush=True)

    def problem(self, what):
        self.problems.append(what)
        self.say(f"PROBLEM: {what}")


class Storm:
    def __init__(self, replicas, keys, seed):
        self.set, self.keys = replicas, keys
        self.random = random.Random(seed)
        self.timeline = Timeline()
        # One replica at a time is down.
        self.downtime = asyncio.Lock()

    async def run(self, seconds, skip):
        """Every event once in a random order, and then again until the time is over. The keys change beside it."""
        until = time.monotonic() + seconds
        rotating = asyncio.create_task(self.rotate_keys_until(until)) if "keys" not in skip else None
        names = [name for name in self.events() if name not in skip]
        for round in itertools.count():
            self.random.shuffle(names)
            for name in names:
                if round == 0 or time.monotonic() < until:
                    await self.events()[name](self.random.choice(self.set.replicas))
            if time.monotonic() >= until:
                break
        if rotating:
            await rotating

    def events(self):
        weather = {name: lambda _, name=name: self.change_weather(name) for name in WEATHER}
        return weather | {
            "certificate": self.swap_certificate,
            "rules": self.touch_rules,
            "bad rules": self.break_rules,
            "stop": self.stop,
            "kill": self.kill,
            "audit": self.rotate_audit,
        }

    async def change_weather(self, name):
        self.timeline.say(f"Graph: {name}")
        for kind, seconds, share in WEATHER[name]:
            await asyncio.to_thread(self.set.weather, kind, seconds, share)
        await asyncio.sleep(0.3)

    async def swap_certificate(self, replica):
        generation = (replica.generation + 1) % CERTIFICATES
        self.timeline.say(f"{replica.name}: certificate {generation}")
        replica.use_certificate(generation)
        await self.until(f"{replica.name} shows its new certificate", self.shows(replica, generation))

    def shows(self, replica, generation):
        async def condition():
            try:
                connection = await Connection.open(replica.port, self.set.trust)
            except Failed:
                return False
            shown = self.set.owner(connection.certificate)
            connection.close()
            return shown == (replica, generation)

        return condition

    async def touch_rules(self, replica):
        """A change that says nothing: nobody may notice."""
        self.timeline.say(f"{replica.name}: a comment in the rules")
        rules = replica.folder / "rules.yaml"
        replace(rules, rules.read_text() + f"# {time.time()}\n")
        self.hangup(replica)
        await self.until(f"{replica.name} reads its rules", self.is_good(replica, "1"))

    async def break_rules(self, replica):
        self.timeline.say(f"{replica.name}: rules with a mistake")
        rules = replica.folder / "rules.yaml"
        good = rules.read_text()
        replace(rules, good.replace("shape: recipient", "shape: recipients"))
        await self.until(f"{replica.name} notices the mistake", self.is_good(replica, "0"))
        replace(rules, good)
        await self.until(f"{replica.name} reads good rules", self.is_good(replica, "1"))

    def is_good(self, replica, expected):
        async def condition():
            return await asyncio.to_thread(replica.metric, "glassine_config_good") == expected

        return condition

    async def stop(self, replica):
        async with self.downtime:
            self.timeline.say(f"{replica.name}: SIGTERM")
            began = time.time()
            replica.signal(signal.SIGTERM)
            if not await self.until(f"{replica.name} ends", self.has_ended(replica), STOP_LIMIT):
                replica.process.kill()
            if replica.process.wait() != 0:
                self.timeline.problem(f"{replica.name} ended with exit code {replica.process.returncode}")
            self.timeline.stops.append(time.time() - began)
            await self.start(replica)

    async def kill(self, replica):
        async with self.downtime:
            self.timeline.say(f"{replica.name}: SIGKILL")
            self.timeline.kills.append((replica.name, time.time()))
            replica.signal(signal.SIGKILL)
            replica.process.wait()
            await self.start(replica)

    async def start(self, replica):
        replica.start()
        await self.until(f"{replica.name} is ready again", self.is_ready(replica), START_LIMIT)
        # HAProxy has to notice it, before the next one goes.
        await asyncio.sleep(0.3)
        self.timeline.say(f"{replica.name}: ready")

    def has_ended(self, replica):
        async def condition():
            return not replica.is_running()

        return condition

    def is_ready(self, replica):
        async def condition():
            return await asyncio.to_thread(replica.is_ready)

        return condition

    async def rotate_audit(self, replica):
        async with self.downtime:
            self.timeline.say(f"{replica.name}: audit log moved away")
            replica.rotate_audit()
            new = replica.folder / "audit.jsonl"

            async def exists():
                return new.exists()

            await self.until(f"{replica.name} begins a new file", exists)

    def hangup(self, replica):
        if replica.is_running():
            replica.signal(signal.SIGHUP)

    async def until(self, what, condition, limit=RELOAD_LIMIT):
        end = time.monotonic() + limit
        while not await condition():
            if time.monotonic() > end:
                self.timeline.problem(f"{what}: did not happen within {limit} s")
                return False
            await asyncio.sleep(0.05)
        return True

    async def rotate_keys_until(self, until):
        """As docs/OPERATIONS.md says: stage, promote, retire, each on all replicas before the next begins."""
        while time.monotonic() + KEY_CYCLE < until:
            await asyncio.sleep(1)
            staged = await self.change_keys("stage")
            self.keys.promoted.add(staged[1])
            promoted = await self.change_keys("promote")
            await asyncio.sleep(3)
            self.keys.retired.update(promoted[1:])
            await self.change_keys("retire")

    async def change_keys(self, step):
        """The ids of the keys after this step, when all replicas have them."""
        ring = self.set.place.folder / "keys.yaml"
        await asyncio.to_thread(self.set.change_keys, step)
        text = ring.read_text()
        ids = self.set.key_ids()
        self.timeline.say(f"keys: {step}: {ids}")
        if step == "stage":
            await asyncio.to_thread(self.learn, ids[1])
        replicas = list(self.set.replicas)
        self.random.shuffle(replicas)
        for replica in replicas:
            replace(replica.folder / "keys.yaml", text)
            if self.random.random() < 0.5:
                self.hangup(replica)
            await asyncio.sleep(APART)
        for replica in replicas:
            await self.until(f"{replica.name} has the keys {ids}", self.serves(replica, ids), START_LIMIT)
        return ids

    def serves(self, replica, ids):
        async def condition():
            return await asyncio.to_thread(replica.served_keys) == ids

        return condition

    def learn(self, id):
        """What a new key makes, before any replica uses it."""
        alone = self.set.key_alone(id)
        self.keys.tokens[id] = Tokens(self.set.place.glassine, alone, CONSUMER)

