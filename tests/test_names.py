"""Names: the embedded list, files, and the download against a local server."""

import hashlib
import http.server
import re
import threading

import pytest

from sketchlab import names

CONTENT = b"emma\nolivia\nmax\n" * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


def test_the_embedded_list():
    """Distinct lower-case names, enough of them with an x, the test names held out."""
    loaded = names.load()
    assert len(loaded) == len(set(loaded)) >= 1500
    assert all(re.fullmatch("[a-z]{2,15}", name) for name in loaded)
    assert sum("x" in name for name in loaded[:1000]) >= 15
    assert set("".join(loaded[:1000])) == set("abcdefghijklmnopqrstuvwxyz")
    held_out = {"max", "emma", "zoe", "xavier", "jax", "olivia", "noah", "kayla", "brix", "william"}
    assert held_out <= set(loaded[1000:])
    assert loaded == names.load()


def test_a_file_of_names(tmp_path):
    """Blank lines and spaces around names do not count."""
    path = tmp_path / "names.txt"
    path.write_bytes("  ana\r\n\n zoé \n".encode())
    assert names.load(path) == names.load(str(path)) == ["ana", "zoé"]


def test_bad_files(tmp_path):
    """Missing, a folder, empty, and not UTF-8."""
    with pytest.raises(FileNotFoundError, match="no file of names at"):
        names.load(tmp_path / "missing.txt")
    with pytest.raises(FileNotFoundError, match="no file of names at"):
        names.load(tmp_path)
    path = tmp_path / "names.txt"
    path.write_text(" \n\n")
    with pytest.raises(ValueError, match="holds no names"):
        names.load(path)
    path.write_bytes("zoé".encode("latin-1"))
    with pytest.raises(ValueError, match="not UTF-8 text"):
        names.load(path)


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves the content whole, cut short, or changed."""

    def do_GET(self):
        """Answer one request."""
        if self.path == "/missing":
            self.send_error(404)
            return
        body = CONTENT.replace(b"max", b"mix") if self.path == "/tampered" else CONTENT
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.path == "/truncated" else body)

    def log_message(self, *_):
        """Stay silent."""


@pytest.fixture(scope="module")
def server():
    """Address of a local HTTP server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


def fetch(server, path, folder):
    """Download from the local server."""
    return names.download(folder, url=server + path, sha256=SHA256, progress=False)


def test_download(server, tmp_path):
    """The file arrives whole, in a new folder, and a second call keeps it."""
    folder = tmp_path / "new"
    path = fetch(server, "/whole", folder)
    assert path.read_bytes() == CONTENT
    assert fetch(server, "/missing", folder) == path
    assert [p.name for p in folder.iterdir()] == ["names.txt"]


@pytest.mark.parametrize("path", ["/truncated", "/tampered", "/missing"])
def test_a_bad_download_leaves_nothing(server, tmp_path, path):
    """Half a file, a changed file, no file: an error and an empty folder."""
    with pytest.raises((ValueError, OSError), match=r"incomplete|404"):
        fetch(server, path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    """Ctrl-C while the file is being written."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(names, "_fetch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(server, "/whole", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_file_is_not_replaced(server, tmp_path):
    """A names.txt that is not the paper's stays."""
    (tmp_path / "names.txt").write_text("mine\n")
    with pytest.raises(FileExistsError, match="is not the paper's file"):
        fetch(server, "/whole", tmp_path)
    assert (tmp_path / "names.txt").read_text() == "mine\n"


def test_the_papers_file(paper_names):
    """The paper's file has the checksum that the download expects, and 32,032 names."""
    loaded = names.load(paper_names)
    assert len(loaded) == 32033
    assert hashlib.sha256(paper_names.read_bytes()).hexdigest() == names.SHA256
