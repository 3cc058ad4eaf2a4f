"""A web server on this machine that answers as the model hub does, as far as pulling goes."""

import hashlib
import json
import random
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import pytest

from evo_t2i.checkpoints import catalogue
from evo_t2i.checkpoints.catalogue import PIPELINE, HubFiles, Model, WebFile

COMMIT = "c" * 40
WEIGHTS = random.Random(0).randbytes(50_000)
HEAD = random.Random(1).randbytes(9_000)
FILES = {"config.json": b'{"a": 1}', "model.safetensors": WEIGHTS, "pytorch_model.bin": b"pickle"}
PIPELINE_FILES = {
    "model_index.json": b"{}",
    "unet/config.json": b"{}",
    "unet/diffusion_pytorch_model.safetensors": WEIGHTS[:5_000],
    "unet/diffusion_pytorch_model.fp16.safetensors": WEIGHTS[:2_000],
    "tokenizer/vocab.txt": b"a\nb\n",
    "safety_checker/config.json": b"{}",
    "safety_checker/model.safetensors": WEIGHTS[:3_000],
    "whole.safetensors": WEIGHTS,
    "README.md": b"# A pipeline\n",
}


class FakeHub:
    """Serves ``repositories[name][file]`` at ``commit``, and ``pages[path]`` at plain addresses.

    ``sent`` replaces the bytes of a file on the way; ``cut`` maps a file to the bytes after which
    each connection breaks, ``hold`` to those after which it waits for ``released``; ``status``
    answers everything, ``code`` is its X-Error-Code. ``asked`` is the log of ``(method, path,
    Range)``. Files that match ``large`` are stored with Git LFS: the hub states their SHA-256.
    """

    def __init__(self):
        self.repositories, self.pages = {}, {}
        self.commit = COMMIT
        self.large = re.compile(r".*\.(safetensors|pt|pth)")
        self.sent, self.cut, self.asked = {}, {}, []
        self.hold, self.released = {}, threading.Event()
        self.status, self.code = None, None
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                hub.answer(self, body=True)

            def do_HEAD(self):
                hub.answer(self, body=False)

            def log_message(self, *_arguments):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()

    def ranges(self, file):
        """The Range headers of the downloads of a file, in order."""
        return [r for method, path, r in self.asked if method == "GET" and path.endswith(file)]

    def answer(self, handler, *, body):
        path = unquote(urlsplit(handler.path).path).lstrip("/")
        self.asked.append((handler.command, path, handler.headers.get("Range")))
        if self.status is not None:
            return _send(handler, self.status, b"{}", body=body, code=self.code)
        if match := re.fullmatch(r"api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            return self._info(handler, *match.groups(), body=body)
        if match := re.fullmatch(r"([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            repository, revision, file = match.groups()
            data = self.repositories.get(repository, {}).get(file)
            if data is None or revision not in (self.commit, "main"):
                return _send(handler, 404, b"{}", body=body)
            facts = self._sibling(file, data)
            headers = {
                "X-Repo-Commit": self.commit,
                "ETag": facts["lfs"]["sha256"] if "lfs" in facts else facts["blobId"],
            }
            return self._file(handler, file, self.sent.get(file, data), headers, body=body)
        if path in self.pages:
            return self._file(handler, path, self.sent.get(path, self.pages[path]), body=body)
        return _send(handler, 404, b"{}", body=body)

    def _info(self, handler, repository, revision, *, body):
        files = self.repositories.get(repository)
        if files is None or revision not in (None, "main", self.commit):
            return _send(handler, 404, b"{}", body=body)
        siblings = [self._sibling(name, data) for name, data in files.items()]
        facts = {"_id": "0", "id": repository, "sha": self.commit, "siblings": siblings}
        return _send(handler, 200, json.dumps(facts).encode(), body=body)

    def _sibling(self, name, data):
        git = hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        entry = {"rfilename": name, "size": len(data), "blobId": git}
        if self.large.fullmatch(name):
            sha256 = hashlib.sha256(data).hexdigest()
            entry["lfs"] = {"sha256": sha256, "size": len(data), "pointerSize": 134}
        return entry

    def _file(self, handler, file, data, headers=None, *, body):
        start = 0
        if wanted := handler.headers.get("Range"):
            start = int(re.fullmatch(r"bytes=(\d+)-", wanted)[1])
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("Content-Length", str(len(data) - start))
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        if not body:
            return
        end = len(data)
        if file in self.cut:
            end = min(end, start + self.cut[file])
        for position in range(start, end, 1024):
            if position >= self.hold.get(file, end):
                handler.wfile.flush()
                self.released.wait(60)
            handler.wfile.write(data[position : min(position + 1024, end)])
        if end < len(data):
            handler.close_connection = True


def _send(handler, status, data, *, body, code=None):
    handler.send_response(status)
    if code is not None:
        handler.send_header("X-Error-Code", code)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    if body:
        handler.wfile.write(data)


@pytest.fixture
def fake_hub(monkeypatch, tmp_path):
    """The hub that huggingface_hub asks; caches are this test's own."""
    hub = FakeHub()
    hub.repositories = {"nobody/bert": dict(FILES), "nobody/pipe": dict(PIPELINE_FILES)}
    hub.pages = {"models/head.pth": HEAD}
    template = hub.address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.address)
    monkeypatch.setattr("huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1_000)
    monkeypatch.setenv("EVO_T2I_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("evo_t2i.checkpoints.arriving.ATTEMPTS", 1)
    yield hub
    hub.close()


@pytest.fixture
def models(fake_hub, monkeypatch):
    """``pinned``, ``unpinned``, ``pipe`` and ``head``, in the catalogue's place."""
    bert = {"repository": "nobody/bert", "files": ("config.json", "model.safetensors")}
    sha256 = {"model.safetensors": hashlib.sha256(WEIGHTS).hexdigest()}
    head = WebFile(
        url=f"{fake_hub.address}/models/head.pth",
        name="head.pth",
        sha256=hashlib.sha256(HEAD).hexdigest()[:8],
        place="torch",
    )
    pipe = HubFiles(repository="nobody/pipe", files=PIPELINE)
    found = {
        "pinned": (HubFiles(**bert, revision=COMMIT, sha256=sha256),),
        "unpinned": (HubFiles(**bert),),
        "pipe": (pipe,),
        "weights": (HubFiles(repository="nobody/bert", files=("model.safetensors",)),),
        "head": (head,),
        "both": (HubFiles(**bert), head),
    }
    table = {name: Model(name, "tests", "none", parts) for name, parts in found.items()}
    monkeypatch.setattr(catalogue, "MODELS", tuple(table.values()))
    return table
