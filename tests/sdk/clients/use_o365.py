# Runs after the documentation's code for O365: sends requests, and prints what it got as JSON.
import datetime
import json
import sys

asked = json.load(sys.stdin)
messages = received_since(asked["user"], datetime.datetime.fromisoformat(asked["since"]))
try:
    refusal = account.mailbox(resource=f"users/{asked['user']}").get_folder(folder_name="Inbox")
except Exception as error:
    refusal = str(error)
print(json.dumps({
    "refusal": refusal,
    "inbox": [
        {
            "id": message.object_id,
            "subject": message.subject,
            "body": message.body,
            "received": message.received.isoformat(),
            "from": message.sender.address,
            "to": [one.address for one in message.to],
            "names": [one.name for one in message.to] + [message.sender.name],
        }
        for message in messages
    ]
}))
