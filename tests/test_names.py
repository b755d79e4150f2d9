"""Names: the embedded list, files, and the download against a local server."""

import hashlib
import http.server
import re
import threading
import time
from pathlib import Path

import pooch
import pytest

from sketchlab import names
from sketchlab.patterns import MOST_COPIES, copies, matching

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


FILES = {
    "spaces and blank lines": ("  ana\r\n\n zoé \n", ["ana", "zoé"]),
    "a byte-order mark": ("\ufeffana\nzoe\n", ["ana", "zoe"]),
    "only carriage returns": ("ana\rzoe\r", ["ana", "zoe"]),
    "mixed ends of lines": ("ana\r\nzoe\n\rbea", ["ana", "zoe", "bea"]),
    "spaces inside": ("anna maria\nde la rue\n", ["anna maria", "de la rue"]),
    "other spaces around": ("\u00a0ana\u3000\n", ["ana"]),
    "accents in two characters": ("zoe\u0301\nzo\u00e9", ["zo\u00e9", "zo\u00e9"]),
    "an accent without a composed form": ("x\u0302a", ["x\u0302a"]),
    "joiners of Persian": ("\u0634\u200c\u0645", ["\u0634\u200c\u0645"]),
    "twice": ("ana\nana\n", ["ana", "ana"]),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_of_names(tmp_path, case):
    """Only newlines and carriage returns separate names; accents come composed."""
    text, expected = FILES[case]
    path = tmp_path / "names.txt"
    path.write_bytes(text.encode())
    assert names.load(path) == names.load(str(path)) == expected


@pytest.mark.parametrize(
    "character", ["\0", "\t", "\v", "\f", "\x1c", "\x7f", "\x85", "\u2028", "\u2029", "\ufeff"]
)
@pytest.mark.parametrize("where", ["zo{}e", "zoe{}"])
def test_control_characters_are_refused_with_their_line(tmp_path, character, where):
    """Also those at which str.splitlines would cut a name in two, or that str.strip removes."""
    path = tmp_path / "names.txt"
    path.write_bytes(f"ana\r\n\n{where.format(character)}\nmax\n".encode())
    message = rf"line 3 of .*names.txt' has the control character U\+{ord(character):04X} in 'zo"
    with pytest.raises(ValueError, match=message):
        names.load(path)


def test_the_home_folder(tmp_path, monkeypatch):
    """A path may begin with ~."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "names.txt").write_text("ana\n")
    assert names.load("~/names.txt") == ["ana"]
    with pytest.raises(FileExistsError, match="is not the paper's file"):
        names.download("~")


def test_bad_files(tmp_path):
    """Missing, a folder, empty, and not UTF-8."""
    with pytest.raises(FileNotFoundError, match="no file of names at"):
        names.load(tmp_path / "missing.txt")
    with pytest.raises(FileNotFoundError, match="is a folder: give a text file in it"):
        names.load(tmp_path)
    path = tmp_path / "names.txt"
    path.write_text(" \n\n")
    with pytest.raises(ValueError, match="holds no names"):
        names.load(path)
    path.write_bytes("zoé".encode("latin-1"))
    with pytest.raises(ValueError, match=r"not UTF-8 text \(line 1, byte 2\)"):
        names.load(path)
    path.write_bytes("ana\nmax\n".encode("utf-16"))
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


BAD_DOWNLOADS = {
    "/truncated": (OSError, r"could not download .*40000 more expected.* by other means"),
    "/tampered": (ValueError, f"is not the paper's: its SHA-256 is not {SHA256}; nothing was kept"),
    "/missing": (OSError, r"could not download .*404.* by other means"),
}


@pytest.mark.parametrize("path", BAD_DOWNLOADS)
def test_a_bad_download_leaves_nothing(server, tmp_path, path):
    """Half a file, a changed file, no file: an error and an empty folder."""
    error, message = BAD_DOWNLOADS[path]
    with pytest.raises(error, match=message):
        fetch(server, path, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there(tmp_path):
    """Refused connections are OSErrors in words, too."""
    with pytest.raises(OSError, match=r"could not download http:.*names"):
        names.download(tmp_path, url="http://127.0.0.1:1/names", sha256=SHA256, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_a_download_is_silent_when_asked(server, tmp_path, capfd):
    """progress=False prints nothing, and everybody may read the file."""
    path = fetch(server, "/whole", tmp_path)
    assert capfd.readouterr() == ("", "")
    assert path.stat().st_mode & 0o444 == 0o444


def test_an_interrupted_download_leaves_nothing(server, tmp_path, monkeypatch):
    """Ctrl-C while the file is being written: half of it is there."""

    def interrupted(self, url, output_file, *_, **__):
        Path(output_file).write_bytes(CONTENT[: len(CONTENT) // 2])
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    monkeypatch.setattr(pooch.HTTPDownloader, "__call__", interrupted)
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
    """The paper's file has the checksum that the download expects, and 32,033 names."""
    loaded = names.load(paper_names)
    assert len(loaded) == 32033
    assert hashlib.sha256(paper_names.read_bytes()).hexdigest() == names.SHA256


@pytest.mark.parametrize("pattern", ["(a*)*b", "(a|aa)+$", "(?:.?){15}(?:.?){15}!", "(.*)*(.*)*!"])
def test_a_pattern_that_takes_hours_is_stopped(pattern):
    """Or is found out at once; at most in a few seconds, whatever the texts are."""
    start = time.monotonic()
    try:
        found = matching(pattern, ["a" * 60 + "c"] * 50)
        assert found == [False] * 50
    except ValueError as error:
        assert "takes longer than 1 s" in str(error)
    assert time.monotonic() - start < 5.0


def test_patterns_find_what_those_of_python_find():
    """On words; what is no pattern is told, and so is a long one."""
    words = ["anna", "Änne", "bob", "a.b", "", "x y"]
    for pattern in ("^a", "n{2}", r"\.", r"\s", "(?i)ä", "b$|^$", "[^a-z]", r"(.)\1"):
        expected = [re.search(pattern, word) is not None for word in words]
        assert matching(pattern, words) == expected, pattern
    for wrong in ("(x", "[", "a{2,1}", "*"):
        with pytest.raises(ValueError, match="is not a regular expression"):
            matching(wrong, words)
    for bomb in ("((a{1000}){1000}){1000}", "(((a{,999}){999,}){9,99}){2}"):
        with pytest.raises(ValueError, match="make more than 10,000 copies"):
            matching(bomb, words)
    assert matching("^.{2,9}$", words) == [2 <= len(word) <= 9 for word in words]
    with pytest.raises(ValueError, match="at most 200 letters here, not 201"):
        matching("a" * 201, words)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a{200}b{200}", 400),
        ("(a{100}b{100}){50}", 10_000),
        ("a{2,5}|b{,3}", 9),
        (r"[({]{3}\({2}", 5),
        ("((a{100}){100}){2}", 20_000),
        ("(a{0}){99999}", 99_999),
        ("(?:(?:ab){3}c){2}", 2 * (3 * (2 + 1) + 1 + 1)),
    ],
)
def test_counts_multiply_where_they_are_nested_and_add_up_in_a_row(pattern, found):
    """As many letters as there are once all are written out; the colon of (?: counts too."""
    assert copies(pattern) == found
    if found > MOST_COPIES:
        with pytest.raises(ValueError, match="use smaller ones"):
            matching(pattern, ["a"])
    else:
        start = time.monotonic()
        text = "a" * 200 + "b" * 200
        assert matching(pattern, [text]) == [re.search(pattern, text) is not None]
        assert time.monotonic() - start < 5.0
