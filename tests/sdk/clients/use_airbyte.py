# Reads the streams of `airbyte.yaml` by the entrypoint of airbyte-cdk, and prints their records as JSON.
import json
import os
import subprocess
import sys
from pathlib import Path

asked = json.load(sys.stdin)
here, home = Path(sys.argv[0]).parent, Path(sys.executable).parent
proxy = os.environ["PROXY_URL"]


def write(name, content):
    path = Path(f"airbyte-{os.getpid()}-{name}.json")
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def entrypoint(delta, streams):
    """The exit code, and Airbyte's messages."""
    config = write("config", {**asked, "proxy_url": proxy, "proxy_token": os.environ["PROXY_TOKEN"], "delta": delta})
    catalog = write("catalog", {"streams": [
        {
            "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
            "sync_mode": "full_refresh",
            "destination_sync_mode": "overwrite",
        }
        for name in streams
    ]})
    command = [home / "source-declarative-manifest", "read", "--config", config, "--catalog", catalog]
    messages = []
    with subprocess.Popen([*command, "--manifest-path", here / "airbyte.yaml"], stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            messages.append(json.loads(line))
            if messages[-1]["type"] != "RECORD":
                print(line, end="", file=sys.stderr, flush=True)
    return run.returncode, messages


def reasons(messages):
    """Why a sync failed, as Airbyte shows it."""
    traces = [message["trace"] for message in messages if message["type"] == "TRACE"]
    return [trace["error"]["message"] for trace in traces if trace["type"] == "ERROR"]


def read(delta, *streams):
    """The records of each stream."""
    status, messages = entrypoint(delta, streams)
    if status:
        raise SystemExit("the sync failed")
    records = {name: [] for name in streams}
    for message in messages:
        if message["type"] == "RECORD":
            records[message["record"]["stream"]].append(message["record"]["data"])
    return records


def objects(pages):
    return [one for page in pages for one in page["value"]]


def walk(delta):
    lists = ["users", "folders", "messages", "groups", "members", "contacts", "settings"]
    result = read(delta, *lists, "delta")
    result["settings"] = result["settings"][0]
    pages = result.pop("delta")
    result["tracked"] = objects(pages)
    result["changed"] = objects(read(pages[-1]["@odata.deltaLink"], "delta")["delta"])
    if asked["proxied"]:
        result["refusal"] = "\n".join(reasons(entrypoint(delta, ["calendar"])[1]))
    return result


print(json.dumps(walk(f"{proxy}/v1.0/users/delta")))
