"""Claims about containers that run."""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl

import yaml

import graph
from deployment import ADMIN, PORT, USER, Deployment, hardening, service
from docker import Container, docker, inspect, run, until

USERS = "/v1.0/users?$top=5"


class Stage:
    """What the claims share: the image, the network, and a folder for each claim."""

    def __init__(self, root, image, network, work):
        self.root, self.image, self.network, self.work = root, image, network, work
        self.service = service(root)

    def deployment(self, name):
        return Deployment(self.image, self.root, self.work / name)

    def tenant(self):
        """The sample tenant, in a container. Its own proxy is out of the way."""
        listen = ["--listen", "127.0.0.1:8080", "--admin-listen", "127.0.0.1:9902", "--graph-listen", "127.0.0.1:8081"]
        container = Container(f"--network=container:{self.network}", "--no-healthcheck", self.image, "demo", *listen)
        until("the sample tenant listens", lambda: socket.create_connection(("127.0.0.1", 8081), 1))
        return container

    def proxy(self, folder, *words):
        """The proxy with the compose file's limits, and a volume for its audit log."""
        mounts = [f"--volume={folder}:/etc/glassine:ro", *(words or ["--volume=/var/lib/glassine"])]
        return Container(f"--network=container:{self.network}", *hardening(self.service), *mounts, self.image)


def started(container):
    """Waits for the health check of the image to succeed."""

    def healthy():
        state = inspect("container", container)["State"]
        if not state["Running"]:
            raise AssertionError(f"the container ended with {state['ExitCode']}: {docker('logs', container).errors}")
        return state["Health"]["Status"] == "healthy"

    until("the container is healthy", healthy)


def demo_without_rust(stage):
    """`docker run … demo` serves the sample tenant: no Rust, no account, no configuration."""
    text = (stage.root / "docs/OPERATIONS.md").read_text()
    words = re.search(r"^docker run (.*) demo$", text, re.MULTILINE)[1].split()
    network = words.index("host") - 1
    words[network : network + 2] = [f"--network=container:{stage.network}"]
    assert words.pop() == stage.image, f"the command names {stage.image}"
    with Container(*words, stage.image, "demo") as container:
        requires_demo(container)


def requires_demo(container, meanwhile=lambda: None):
    """The requests that the demo prints show what they should, and SIGTERM ends it."""
    curl = until("the demo prints its requests", lambda: re.findall(r"^curl -s .*", container.logs(), re.MULTILINE))
    original, sanitized, refused = (run("sh", "-c", line).out for line in curl[:3])
    assert '"subject"' in original and '"subject"' not in sanitized and '"t~' in sanitized, sanitized
    assert "optionNotAllowed" in refused, refused
    meanwhile()
    container.signal("TERM")
    code = container.wait()
    assert code == 0, f"exit code {code}"


def compose(stage, folder):
    """The compose file for this test's network, beside what it mounts. Everything else in it is as committed."""
    path = folder / "docker-compose.yaml"
    document = yaml.safe_load((stage.root / "deploy/docker-compose.yaml").read_text())
    glassine = document["services"]["glassine"]
    assert glassine["image"] == stage.image, f"{glassine['image']} in the compose file"
    # Without a bridge the daemon has no ports to publish.
    del glassine["ports"]
    glassine["network_mode"] = f"container:{stage.network}"
    del glassine["build"]
    path.write_text(yaml.safe_dump(document))
    return path, glassine


def mount(glassine, deployment, folder):
    """Puts what the compose file mounts at /etc/glassine where it looks for it."""
    for volume in glassine["volumes"]:
        source, target, *_ = volume.split(":")
        if source.startswith("."):
            inside = pathlib.PurePosixPath(target).relative_to("/etc/glassine")
            run("cp", "--archive", str(deployment.folder / inside), str(folder / source))


def the_compose_file(stage):
    """The compose file: uid 65532, nothing writable, no capability, no new privileges; healthy; a request; the audit volume."""
    deployment, folder = stage.deployment("compose-etc"), stage.work / "compose"
    folder.mkdir()
    path, glassine = compose(stage, folder)
    mount(glassine, deployment, folder)
    words = ["docker-compose", "--project-name", "claims", "--file", str(path)]
    with stage.tenant():
        try:
            run(*words, "up", "--detach")
            container = run(*words, "ps", "--quiet", "glassine").out.strip()
            started(container)
            requires_confinement(inspect("container", container)["State"]["Pid"])
            requires_sanitized(deployment)
            requires_audit(stage, deployment, "claims_audit")
            run(*words, "stop")
            code = inspect("container", container)["State"]["ExitCode"]
            assert code == 0, f"exit code {code} after `stop`"
        finally:
            run(*words, "down", "--volumes", check=False)


def a_fresh_clone(stage):
    """A fresh clone: `deploy/init` and the compose file start the proxy. Until the client secret is there, its health says so."""
    folder = stage.work / "fresh"
    folder.mkdir(mode=0o755)
    shutil.copy(stage.root / "deploy/init", folder)
    answers = ["--tenant", "contoso.onmicrosoft.com", "--client-id", "00000000-0000-0000-0000-000000000001"]
    run("env", f"GLASSINE_IMAGE={stage.image}", str(folder / "init"), *answers, "--public-url", "https://localhost:8443")
    path, _ = compose(stage, folder)
    words = ["docker-compose", "--project-name", "fresh", "--file", str(path)]
    try:
        run(*words, "up", "--detach")
        container = run(*words, "ps", "--quiet", "glassine").out.strip()
        said = until("a health check has failed", lambda: health_check(container))
        assert "not ready" in said and "secret is empty" in said, said
        state = inspect("container", container)
        assert state["State"]["Running"] and state["RestartCount"] == 0, state["State"]
    finally:
        run(*words, "down", "--volumes", check=False)
    return said.strip()


def health_check(container):
    """What the first failed health check printed."""
    checks = inspect("container", container)["State"]["Health"]["Log"] or []
    return next((check["Output"] for check in checks if check["ExitCode"] != 0), None)


def requires_confinement(pid):
    """What the kernel says of the process."""
    process = pathlib.Path(f"/proc/{pid}")
    status = dict(line.split(":\t", 1) for line in (process / "status").read_text().splitlines())
    assert status["Uid"].split() == [str(USER)] * 4 and status["Gid"].split() == [str(USER)] * 4, status["Uid"]
    for capabilities in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]:
        assert int(status[capabilities], 16) == 0, f"{capabilities} {status[capabilities]}"
    assert status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", status
    assert re.search(r"^Max core file size +0 +0 ", (process / "limits").read_text(), re.MULTILINE), "core dumps"
    mounts = [line.split() for line in (process / "mountinfo").read_text().splitlines()]
    kernel = ("/proc", "/sys", "/dev")
    writable = {fields[4] for fields in mounts if "rw" in fields[5].split(",") and not fields[4].startswith(kernel)}
    # Docker's own three files are writable for root only.
    writable -= {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}
    assert writable == {"/tmp", "/var/lib/glassine"}, writable


def requires_sanitized(deployment):
    status, body = deployment.ask(USERS)
    assert status == 200 and '"mail":"t~' in body and "displayName" not in body, f"{status} {body[:200]}"
    assert deployment.ask(USERS, token="glassine_wrong")[0] == 401


def requires_audit(stage, deployment, volume):
    """The log is in the volume, and the image's own command verifies it."""
    log = pathlib.Path(inspect("volume", volume)["Mountpoint"]) / "audit.jsonl"
    records = until("the audit log has the request", lambda: [it for it in read(log) if it.get("endpoint") == "list-users"])
    assert records[0]["consumer"] == "claims" and records[0]["status"] == 200, records
    assert log.stat().st_uid == USER and log.stat().st_mode & 0o077 == 0, oct(log.stat().st_mode)
    docker("run", "--rm", "--network=none", f"--volume={volume}:/var/lib/glassine:ro", stage.image, "audit", "verify", "/var/lib/glassine/audit.jsonl")


def read(log):
    return [json.loads(line) for line in log.read_text().splitlines()]


def secrets_with_wrong_modes(stage):
    """A secret that the container may not read stops the start, with the file's name and what to do."""
    deployment = stage.deployment("modes")
    for name in ["secrets/keys.yaml", "secrets/access-token", "tls/tls.key", "config.yaml"]:
        path = deployment.folder / name
        os.chown(path, 0, 0)
        with stage.proxy(deployment.folder) as container:
            code, said = container.wait(), container.logs()
        mode = path.stat().st_mode & 0o7777
        why = f"this program runs as uid {USER} and may not read the file, which is owned by uid 0 and has mode {mode:04o}"
        why = f"/etc/glassine/{name}: {why}; change either"
        assert code == 2 and why in said, f"{code}: {said}"
        os.chown(path, USER, USER)
    return "keys, credential, TLS key, configuration;"


def secrets_that_others_may_read(stage):
    """A secret that everybody may read starts with a warning, and one that everybody may write does not start."""
    deployment = stage.deployment("open")
    keys = deployment.folder / "secrets/keys.yaml"
    keys.chmod(0o444)
    with stage.proxy(deployment.folder) as container:
        started(container.id)
        said = container.logs()
    assert "/etc/glassine/secrets/keys.yaml" in said and "chmod" in said, said
    keys.chmod(0o666)
    with stage.proxy(deployment.folder) as container:
        code, said = container.wait(), container.logs()
    assert code == 2 and "/etc/glassine/secrets/keys.yaml" in said, f"{code}: {said}"


def audit_folder_that_cannot_be_written(stage):
    """An audit folder of another owner stops the start, with the file's name."""
    deployment, folder = stage.deployment("audit-etc"), stage.work / "audit"
    folder.mkdir(mode=0o755)
    with stage.proxy(deployment.folder, f"--volume={folder}:/var/lib/glassine") as container:
        code, said = container.wait(), container.logs()
    assert code == 2 and "/var/lib/glassine/audit.jsonl" in said, f"{code}: {said}"


def reload_by_a_mounted_folder(stage):
    """A configuration that an editor replaces on the host takes effect in the container."""
    deployment = stage.deployment("folder")
    token, digest = deployment.new_token()
    with stage.tenant(), stage.proxy(deployment.folder) as container:
        started(container.id)
        assert deployment.ask(USERS)[0] == 200 and deployment.ask(USERS, token)[0] == 401
        deployment.write("config.yaml", deployment.config(digest))
        until("the new token is accepted", lambda: deployment.ask(USERS, token)[0] == 200)
        assert deployment.ask(USERS)[0] == 401, "the old token still works"
        deployment.write("config.yaml", "listen: nowhere\n")
        until("the reload fails", lambda: "config.yaml" in container.logs() and "glassine_config_good 0" in metrics())
        assert deployment.ask(USERS, token)[0] == 200, "the last valid state serves"


def metrics():
    with socket.create_connection(ADMIN.split(":"), 5) as connection:
        connection.sendall(f"GET /metrics HTTP/1.1\r\nHost: {ADMIN}\r\nConnection: close\r\n\r\n".encode())
        return connection.makefile(encoding="utf-8").read()


def reload_by_the_swap_of_a_link(stage):
    """A ConfigMap's new content takes effect: Kubernetes swaps the link `..data`."""
    deployment = stage.deployment("swap")
    token, digest = deployment.new_token()
    projected = Projected(deployment)
    with stage.tenant(), stage.proxy(deployment.folder) as container:
        started(container.id)
        assert deployment.ask(USERS)[0] == 200 and deployment.ask(USERS, token)[0] == 401
        projected.swap(deployment.config(digest))
        until("the new token is accepted", lambda: deployment.ask(USERS, token)[0] == 200)
        assert deployment.ask(USERS)[0] == 401, "the old token still works"


class Projected:
    """A folder as the kubelet writes it: config.yaml → ..data/config.yaml, ..data → a folder for each version."""

    def __init__(self, deployment):
        self.deployment, self.versions = deployment, 0
        text = (deployment.folder / "config.yaml").read_text()
        (deployment.folder / "config.yaml").unlink()
        self.swap(text)
        (deployment.folder / "config.yaml").symlink_to("..data/config.yaml")

    def swap(self, text):
        """The kubelet's order: write the new folder, make a new link, rename it over the old link, remove the old folder."""
        folder, data = self.deployment.folder, self.deployment.folder / "..data"
        old = data.resolve() if data.is_symlink() else None
        self.versions += 1
        (folder / f"..{self.versions}").mkdir()
        (folder / f"..{self.versions}/config.yaml").write_text(text)
        (folder / "..data_tmp").symlink_to(f"..{self.versions}")
        self.deployment.own()
        (folder / "..data_tmp").rename(data)
        if old:
            shutil.rmtree(old)


def sigterm_in_flight(stage):
    """SIGTERM while a response streams: the response ends whole, new connections are refused, the exit code is 0."""
    deployment = stage.deployment("sigterm")
    deployment.write("config.yaml", deployment.config(deployment.digest, graph=graph.serve()))
    with stage.proxy(deployment.folder) as container:
        started(container.id)
        with stream(deployment) as response:
            first = response.recv(4096)
            assert first.startswith(b"HTTP/1.1 200"), first
            container.signal("TERM")
            until("the listener is closed", listener_is_closed)
            assert inspect("container", container.id)["State"]["Running"], "it ended before the response"
            body = rest(first, response)
        users = json.loads(body)["value"]
        assert len(users) == len(graph.USERS), f"{len(users)} users"
        code = container.wait()
    assert code == 0, f"exit code {code}"
    return f"{len(body)} bytes in pieces;"


def stream(deployment):
    context = ssl.create_default_context(cafile=str(deployment.folder / "tls/tls.crt"))
    connection = context.wrap_socket(socket.create_connection(("localhost", PORT), 30), server_hostname="localhost")
    head = f"GET /v1.0/users?$top=999 HTTP/1.1\r\nHost: localhost:{PORT}\r\nAuthorization: Bearer {deployment.token}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def listener_is_closed():
    try:
        socket.create_connection(("localhost", PORT), 1).close()
        return False
    except ConnectionRefusedError:
        return True


def rest(first, response):
    """The body, whose chunks must be complete."""
    received = first
    while piece := response.recv(65536):
        received += piece
    head, _, chunks = received.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower(), head
    body = b""
    while chunks:
        size, _, chunks = chunks.partition(b"\r\n")
        size = int(size, 16)
        if size == 0:
            return body
        assert len(chunks) > size + 2, "a chunk is cut"
        body, chunks = body + chunks[:size], chunks[size + 2 :]
    raise AssertionError("the last chunk is missing")


CLAIMS = [
    demo_without_rust,
    the_compose_file,
    a_fresh_clone,
    secrets_with_wrong_modes,
    secrets_that_others_may_read,
    audit_folder_that_cannot_be_written,
    reload_by_a_mounted_folder,
    reload_by_the_swap_of_a_link,
    sigterm_in_flight,
]
