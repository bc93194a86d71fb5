"""Three replicas behind HAProxy serve without a pause while everything around them fails. See README.md."""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from consumers import Consumer, Keys, Ledger
from events import WEATHER, Storm
from proof import Proof
from replicas import CONSUMER, ROOT, Place, Set
from world import Tokens

CONSUMERS = 16
# How long the consumers go on after the last event.
AFTER = 1
# Of each kind of problem.
SHOWN = 5
KINDS = ["wrong", "unsanitized", "truncated but clean", "failed", "audit", "event"]


def main():
    asked = arguments()
    with tempfile.TemporaryDirectory(prefix="chaos") as folder, Place(Path(folder), asked.glassine) as place:
        replicas = Set.balanced(place, count=3, limits="lame_duck_seconds: 1, drain_seconds: 10")
        replicas.start()
        keys = Keys()
        first = replicas.key_ids()
        keys.promoted.add(first)
        keys.tokens[first] = Tokens(place.glassine, replicas.key_alone(first), CONSUMER)
        ledger = Ledger()
        storm = Storm(replicas, keys, asked.seed)
        began = time.monotonic()
        asyncio.run(serve(replicas, keys, ledger, storm, asked))
        seconds = time.monotonic() - began
        stop(replicas, storm)
        proof = Proof(replicas, ledger, storm.timeline, keys)
        tell(proof.judge(), proof, ledger, storm, seconds)
        if proof.problems and asked.keep:
            os.system(f"cp -r {folder} {asked.keep}")
        sys.exit(1 if proof.problems else 0)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    built = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/glassine"
    parser.add_argument("--glassine", type=Path, default=os.environ.get("GLASSINE_BIN", built))
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=3, help="of the order of events and of what consumers ask")
    parser.add_argument("--consumers", type=int, default=CONSUMERS)
    parser.add_argument("--skip", action="append", default=[], help=f"an event: keys, {', '.join(WEATHER)}, …")
    parser.add_argument("--keep", help="a folder that gets logs and audit logs if something was wrong")
    return parser.parse_args()


async def serve(replicas, keys, ledger, storm, asked):
    ended = asyncio.Event()
    consumers = [Consumer(replicas, keys, ledger, f"{asked.seed} {n}") for n in range(asked.consumers)]
    running = [asyncio.create_task(consumer.run(ended)) for consumer in consumers]
    await storm.run(asked.seconds, asked.skip)
    await asyncio.sleep(AFTER)
    ended.set()
    await asyncio.gather(*running)


def stop(replicas, storm):
    for replica in replicas.replicas:
        replica.process.terminate()
    for replica in replicas.replicas:
        if replica.process.wait(30) != 0:
            storm.timeline.problem(f"{replica.name} ended with exit code {replica.process.returncode}")


def tell(counts, proof, ledger, storm, seconds):
    total = sum(counts.values())
    print(f"\n{total:,} requests in {seconds:.0f} s; {len(storm.timeline.kills)} kills, {len(storm.timeline.stops)} stops")
    for outcome, count in sorted(counts.items()):
        print(f"{count:9,}  {outcome}")
    hit = Counter(kind for kinds in proof.faults.values() for kind in kinds)
    print("faults of Graph: " + ", ".join(f"{kind} {count}" for kind, count in sorted(hit.items())))
    print(f"audit: {sum(proof.closed.values()):,} records, {len(proof.begun):,} openings; {len(ledger.generations)} certificates")
    found = Counter(kind for kind, _ in proof.problems)
    for kind in KINDS:
        print(f"{found[kind]:9,}  {kind}")
    for kind in KINDS:
        for what in [what for of, what in proof.problems if of == kind][:SHOWN]:
            print(f"{kind}: {what}"[:1000])


if __name__ == "__main__":
    main()
