"""Checks what the generated client read: pages of the size that it asked for, with what it selected, in the form of tokens."""

import json
import re
import sys

read = json.load(sys.stdin)
users, messages = read["users"], read["messages"]
assert len(users["value"]) == 3 and "@odata.nextLink" in users, users
assert all(set(user) <= {"id", "mail", "accountEnabled"} for user in users["value"])
assert len(messages["value"]) == 5 and all(re.match(r"p~[\w-]{87,}$", it["id"]) for it in messages["value"])
times = [it["receivedDateTime"] for it in messages["value"]]
assert times == sorted(times, reverse=True) and min(times) >= "2026-01-01", times
assert read["message"]["id"] == messages["value"][0]["id"] and "subject" not in read["message"]
assert len(read["folders"]["value"]) == 2 and read["settings"]["timeZone"] and read["groups"]["value"]
assert read["members"]["value"][0]["@odata.type"].startswith("#microsoft.graph.")
assert len(read["changes"]["value"]) > 3
print("ok: the client that odata2ts generated reads users, messages, folders, settings, groups, members and changes")
