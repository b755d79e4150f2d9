"""The page for visitors, attacked over real sockets: what a visitor can do, and cannot."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import websocket
from jupyter_server.auth import IdentityProvider
from jupyter_server.serverapp import ServerApp
from nbformat import v4, write

from conftest import ROOT

PROTOCOL = "v1.kernel.websocket.jupyter.org"
CODE = """import resource
print("LIMIT", resource.getrlimit(resource.RLIMIT_AS)[0] >> 30)
import ipywidgets
ipywidgets.HTML("<b>a widget</b>")"""


OVERLAPPING = b"".join(n.to_bytes(8, "little") for n in (6, 56, 61, 9000, 56, 9000, 9000)) + (
    b"shell" + bytes(8939)
)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A page with room for two visitors: its port, and the folder of its notebook."""
    folder = tmp_path_factory.mktemp("page")
    with page(folder, "--KernelManager.most=2", "--Page.memory=3") as port:
        yield port, folder


@contextlib.contextmanager
def page(folder, *options):
    """A page with a picture and a secret beside its notebook: its port."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = v4.new_notebook(cells=[v4.new_code_cell(CODE)], metadata={"kernelspec": kernel})
    write(notebook, folder / "app.ipynb")
    (folder / "secret.txt").write_text("secret")
    (folder / "picture.png").write_bytes(b"picture")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PATH": str(Path(sys.prefix) / "share" / "jupyter"),
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "sketchlab.serving", str(folder / "app.ipynb")]
    command += ["--no-browser", f"--port={port}", *options]
    log = open(folder / "log", "w")
    server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 240
        while not answers("127.0.0.1", port):
            assert server.poll() is None and time.monotonic() < deadline, (
                folder / "log"
            ).read_text()
            time.sleep(0.25)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def answers(address, port):
    """Whether something listens at this address of this machine."""
    try:
        socket.create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def get(port, path="/", host=None):
    """Status and text of an address, asked for under the name of a host."""
    headers = {} if host is None else {"Host": host}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as reply:
            return reply.status, reply.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


@pytest.fixture(scope="module")
def kernel(served):
    """The kernel of a first visitor, whose page was shown."""
    status, page = get(served[0])
    assert status == 200 and "LIMIT 3" in page
    return re.search(r'"kernelId": "([\w-]+)"', page)[1]


def connect(port, kernel, **settings):
    """A socket to a kernel, as a browser opens it."""
    address = f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?session_id={uuid.uuid4()}"
    return websocket.create_connection(address, timeout=20, **settings)


def packed(kind, content, channel="shell"):
    """A message as this protocol packs it."""
    header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": "s", "username": "u"}
    header |= {"version": "5.3", "date": "2026-01-01T00:00:00Z"}
    parts = [channel.encode(), *(json.dumps(p).encode() for p in (header, {}, {}, content))]
    places, at = [], 8 * (len(parts) + 2)
    for part in parts:
        places.append(at)
        at += len(part)
    places.append(at)
    numbers = [len(places), *places]
    return b"".join(n.to_bytes(8, "little") for n in numbers) + b"".join(parts)


def kinds(connection, seconds):
    """The kinds of messages that arrive within some seconds."""
    found, end = [], time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        connection.settimeout(left)
        try:
            message = connection.recv()
            found += re.findall(rb'"msg_type": ?"(\w+)"', message or b"")
        except (OSError, websocket.WebSocketException):
            break
    return found


def test_a_page_is_limited_and_bound_to_this_machine(served, kernel):
    """Its kernels have the limit of memory (`kernel` looks); only localhost answers, where another
    address would answer if the page listened there."""
    others = {one[4][0] for one in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    with socket.create_server(("", 0)) as everywhere:
        port = everywhere.getsockname()[1]
        others = [one for one in {"127.0.0.2", *others} - {"127.0.0.1"} if answers(one, port)]
    if not others:
        pytest.skip("this machine has one address only")
    assert answers("127.0.0.1", served[0])
    assert not [one for one in others if answers(one, served[0])]


@pytest.mark.parametrize(
    ("host", "status"),
    [("evil.example", 403), ("evil.example:80", 403), ("10.1.2.3", 403), ("localhost", 200)],
)
def test_the_page_answers_to_names_of_this_machine_only(served, kernel, host, status):
    """Else another site could read it through a visitor's browser. Addresses of kernels, too."""
    found, _ = get(served[0], f"/api/kernels/{kernel}", host)
    assert found == status
    if status == 403:
        assert get(served[0], "/", host)[0] == status


@pytest.mark.parametrize("asked", [None, ["v0.other"], [""]])
def test_a_socket_of_another_protocol_is_refused(served, kernel, asked):
    """Through one, a visitor could make the server loop and grow until it stops for all."""
    with pytest.raises(websocket.WebSocketBadStatusException, match="400"):
        connect(served[0], kernel, **({} if asked is None else {"subprotocols": asked}))


def test_no_code_of_a_visitor_runs(served, kernel):
    """Neither as a message to execute, nor on the other channels; what widgets need works."""
    connection = connect(served[0], kernel, subprotocols=[PROTOCOL])
    code = f"open({str(served[1] / 'ran')!r}, 'w').close()"
    content = {"code": code, "silent": False, "store_history": False, "user_expressions": {}}
    for channel in ("shell", "control", "iopub", "stdin"):
        connection.send_binary(packed("execute_request", content, channel))
    for kind in ("complete_request", "inspect_request", "history_request", "debug_request"):
        connection.send_binary(packed(kind, {"code": "ope", "cursor_pos": 3}))
    connection.send_binary(packed("comm_msg", {"comm_id": "unknown", "data": {}}))
    connection.send_binary(packed("comm_info_request", {}))
    found = kinds(connection, 3)
    connection.close()
    assert not (served[1] / "ran").exists()
    assert b"execute_reply" not in found and b"complete_reply" not in found
    assert b"comm_info_reply" in found


@pytest.mark.parametrize(
    "message",
    [b"\x00" * 7, b"", b"\xff" * 64, bytes(1 << 24), OVERLAPPING],
    ids=["short", "empty", "many parts", "long", "overlapping"],
)
def test_what_is_no_message_hurts_nobody(served, kernel, message):
    """Its socket may go; the page and the kernel stay."""
    connection = connect(served[0], kernel, subprotocols=[PROTOCOL])
    with contextlib.suppress(OSError):  # closed while it is being sent
        connection.send_binary(message)
    kinds(connection, 0.5)
    connection.close()
    other = connect(served[0], kernel, subprotocols=[PROTOCOL])
    other.send_binary(packed("comm_info_request", {}))
    assert b"comm_info_reply" in kinds(other, 3)
    other.close()


def test_no_file_is_read(served, kernel):
    """Beside pictures, which Voila serves; nor a notebook's code, nor what lies above."""
    for path in (
        "/voila/files/secret.txt",
        "/voila/files/app.ipynb",
        "/files/secret.txt",
        "/voila/files/..%2f..%2fetc%2fpasswd",
        "/voila/static/..%2f..%2fsecret.txt",
        "/api/contents/secret.txt",
        "/voila/render/secret.txt",
    ):
        status, text = get(served[0], path)
        assert status in (403, 404, 405), path
        assert "root:" not in text and text.strip() != "secret"


def test_more_visitors_than_there_is_room_for_are_asked_to_wait(served, kernel):
    """Of five who come at once, where one has a kernel and there is room for two, four; also a
    later one. Those who have a kernel go on."""
    with ThreadPoolExecutor(5) as visitors:
        found = [*visitors.map(get, [served[0]] * 5), get(served[0])]
    shown = [text for status, text in found if status == 200 and "LIMIT 3" in text]
    waiting = [text for status, text in found if "too many visitors" in text or status == 503]
    assert (len(shown), len(waiting)) == (1, 5)
    assert get(served[0], f"/api/kernels/{kernel}")[0] == 200


def test_a_token_is_asked_for(tmp_path):
    """Before the page is shown and its kernel made; static files and pictures stay free."""
    with page(tmp_path, "--token=word") as port:
        for path in ("/", "/?token=other", f"/api/kernels/{uuid.uuid4()}"):
            status, text = get(port, path)
            assert "LIMIT" not in text and (status == 403 or "password" in text.lower()), path
        assert get(port, "/voila/static/voila.js")[0] == 200
        assert get(port, "/voila/files/picture.png") == (200, "picture")
        status, text = get(port, "/?token=word")
        assert status == 200 and "LIMIT" in text


def test_jupyterlab_listens_to_this_machine_and_asks_for_a_token(tmp_path, monkeypatch):
    """As it does by itself; `make lab` says nothing else."""
    command = subprocess.run(
        ["make", "-n", "lab"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "jupyterlab notebooks" in command
    for word in ("ip=", "token", "password", "origin", "remote"):
        assert word not in command.lower(), word
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.delenv("JUPYTER_TOKEN", raising=False)
    server = ServerApp()
    assert server.ip == "localhost" and not server.allow_remote_access
    assert len(IdentityProvider(parent=server).token) >= 32
