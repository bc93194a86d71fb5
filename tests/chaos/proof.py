"""What became of each request, after all is over: which failures a fault explains, and whether each response has its record."""

import json
import subprocess
from collections import Counter

# How long after a kill its effects are seen at the other end of a connection.
AFTER_KILL = 1.0
# The statuses with which each fault of Graph may end, besides 200 after another try.
ENDS = {
    "reset": {502},
    "cut": {502},
    "silence": {504},
    "429 1": {429},
    "429 20": {429},
    "503 1": {503},
    "503 20": {503},
    "token": {503},
}


class Proof:
    def __init__(self, replicas, ledger, timeline, keys):
        self.set, self.ledger, self.timeline, self.keys = replicas, ledger, timeline, keys
        self.problems = [*ledger.problems, *(("event", what) for what in timeline.problems)]
        # The faults that hit a request, by its id.
        self.faults = {}
        for line in (replicas.place.folder / "faults.jsonl").read_text().splitlines():
            fault = json.loads(line)
            self.faults.setdefault(fault["id"], []).append(fault["kind"])
        self.closed, self.begun = Counter(), set()

    def judge(self):
        """Counts by outcome."""
        self.read_audit()
        counts = Counter(self.outcome(exchange) for exchange in self.ledger.exchanges)
        self.check_records()
        if len(self.ledger.fingerprints) != 1:
            self.problems.append(("wrong", f"fingerprints of rules: {self.ledger.fingerprints}"))
        return counts

    def outcome(self, exchange):
        if exchange.what in ("refused", "unknown") and exchange.came == "whole":
            return "refused, as it has to be"
        if exchange.came == "whole" and exchange.status == 200:
            return "200, whole and right"
        faults = self.faults.get(exchange.id, [])
        if exchange.came == "whole" and any(exchange.status in ENDS.get(kind, ()) for kind in faults):
            return f"{exchange.status}: a fault of Graph, passed on"
        if exchange.came == "cut" and "cut" in faults:
            return "cut visibly: Graph broke off"
        if exchange.code == "mailboxBusy":
            return "429: four at a time in a mailbox, and others waited"
        if exchange.came == "whole" and exchange.status in (404, 410) and exchange.keys & self.keys.retired:
            return f"{exchange.status}: the key was retired"
        if exchange.came != "whole" and self.was_killed(exchange):
            return f"{exchange.came}: in flight at a kill"
        self.problems.append(("failed", f"{exchange} {faults}"))
        return f"{exchange.came} with status {exchange.status}: UNEXPLAINED"

    def was_killed(self, exchange):
        """Whether the replica of an exchange was killed meanwhile; any replica, if it is not known which one it was."""
        return any(
            exchange.begin - AFTER_KILL <= killed <= exchange.end
            for name, killed in self.timeline.kills
            if exchange.replica in (name, None)
        )

    def read_audit(self):
        for replica in self.set.replicas:
            files = replica.audit_files()
            done = subprocess.run([self.set.place.glassine, "audit", "verify", *files], capture_output=True, text=True)
            if done.returncode:
                self.problems.append(("audit", f"{replica.name}: {done.stdout}{done.stderr}"))
            for file in files:
                for line in file.read_bytes().split(b"\n"):
                    self.read_record(line)

    def read_record(self, line):
        try:
            record = json.loads(line)
        except ValueError:
            return  # A line that a kill has cut: `audit verify` knows whether it may be there.
        if "request_id" not in record:
            return
        if record.get("event") == "begin":
            self.begun.add(record["request_id"])
        else:
            self.closed[record["request_id"], record["status"]] += 1

    def check_records(self):
        twice = [id for (id, _), count in self.closed.items() if count > 1]
        self.problems += [("audit", f"{id} has two records") for id in twice]
        closed = {id for id, _ in self.closed}
        for exchange in self.ledger.exchanges:
            if exchange.id is None:
                continue
            killed = self.was_killed(exchange) or any(
                name == exchange.replica and exchange.end <= killed <= exchange.end + AFTER_KILL
                for name, killed in self.timeline.kills
            )
            if (exchange.id, exchange.status) in self.closed:
                continue
            if killed and (exchange.id in self.begun or exchange.status != 200):
                continue
            if exchange.what == "unknown":
                continue  # Requests of nobody are summed.
            has = "a record with another status" if exchange.id in closed else "no record"
            self.problems.append(("audit", f"{exchange} has {has}"))
