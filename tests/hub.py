"""A small Hugging Face Hub on loopback, for tests with the real client."""

import asyncio
import base64
import hashlib
import json
import re
import socket
import threading
import time
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

REVISION = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_a_token_of_the_loopback_hub"


class Hub:
    """One repository with one branch, whatever it is called; only its latest commit can be read.

    Attributes:
        files: path in the repository -> bytes, of the latest commit.
        revision: that commit.
        commits: of every commit made here: its message and its changes, (kind, path) each.
        exists: whether the repository is there; creating makes it so.
        refuse: a part of a path -> the status that requests to such paths get.
        open: an event; while it is cleared, requests wait for their answers.
        requests: (method, path) of every request so far.
        url: set while it runs.
    """

    def __init__(self, files: dict[str, bytes], exists: bool = True):
        self.files, self.exists, self.revision = files, exists, REVISION
        self.commits, self.refuse, self.uploaded = [], {}, {}
        self.open, self.requests, self.url = threading.Event(), [], ""
        self.open.set()

    # ------------------------------------------------------------------------------- reading

    def resolve(self, request) -> Response:
        path, revision = request.path_params["path"], request.path_params["revision"]
        if revision not in (self.revision, "main"):
            return PlainTextResponse("", 404, {"X-Error-Code": "RevisionNotFound"})
        if path not in self.files:
            return PlainTextResponse("", 404, {"X-Error-Code": "EntryNotFound"})
        data = self.files[path]
        headers = {
            "X-Repo-Commit": self.revision,
            "ETag": f'"{hashlib.sha1(data).hexdigest()}"',
            "Content-Length": str(len(data)),
        }
        if asked := re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2]), len(data) - 1)
            part = {"Content-Range": f"bytes {first}-{last}/{len(data)}", "Content-Length": str(last + 1 - first)}
            return Response(data[first : last + 1], 206, headers | part)
        return Response(b"" if request.method == "HEAD" else data, headers=headers)

    def info(self, request) -> Response:
        if not self.exists:
            return JSONResponse({"error": "Repository not found"}, 404, {"X-Error-Code": "RepoNotFound"})
        names = [{"rfilename": path} for path in self.files]
        return JSONResponse({"id": repository(request), "sha": self.revision, "siblings": names})

    def tree(self, request) -> Response:
        """What lies in the repository or in one of its folders, all of it or only the next level."""
        folder = f"{request.path_params['path']}/" if "path" in request.path_params else ""
        below = [path.removeprefix(folder).split("/") for path in self.files if path.startswith(folder)]
        deep = request.query_params.get("recursive", "true").lower() == "true"
        names = ("/".join(parts[:depth]) for parts in below for depth in range(1, len(parts) + 1 if deep else 2))
        return JSONResponse([self.told(f"{folder}{name}") for name in dict.fromkeys(names)])

    async def paths(self, request) -> Response:
        """What some paths are; those that are not there are left out."""
        asked = await request.form()
        names = [
            path for path in asked.getlist("paths") if any(f"{file}/".startswith(f"{path}/") for file in self.files)
        ]
        return JSONResponse([self.told(path) for path in names])

    def told(self, path: str) -> dict:
        data = self.files.get(path)
        if data is None:
            return {"type": "directory", "path": path, "size": 0, "oid": "0" * 40}
        return {"type": "file", "path": path, "size": len(data), "oid": blob(data)}

    # ------------------------------------------------------------------------------- writing

    async def create(self, request) -> Response:
        given = await request.json()
        name = f"{given['organization']}/{given['name']}"
        if self.exists:
            return JSONResponse({"error": "You already created this model repo", "url": f"{self.url}/{name}"}, 409)
        self.exists = True
        return JSONResponse({"url": f"{self.url}/{name}", "name": name})

    async def validate(self, request) -> Response:
        return JSONResponse({"errors": [], "warnings": []})

    async def preupload(self, request) -> Response:
        answers = []
        for file in (await request.json())["files"]:
            large = file["path"].endswith(".safetensors")
            there = self.files.get(file["path"])
            known = {} if there is None else {"oid": hashlib.sha256(there).hexdigest() if large else blob(there)}
            mode = "lfs" if large else "regular"
            answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": False} | known)
        return JSONResponse({"files": answers})

    async def batch(self, request) -> Response:
        objects = []
        for wanted in (await request.json())["objects"]:
            href = {"upload": {"href": f"{self.url}/lfs/{wanted['oid']}"}}
            objects.append(wanted | ({} if wanted["oid"] in self.uploaded else {"actions": href}))
        return JSONResponse({"transfer": "basic", "objects": objects}, media_type="application/vnd.git-lfs+json")

    async def upload(self, request) -> Response:
        data, oid = await request.body(), request.path_params["oid"]
        if hashlib.sha256(data).hexdigest() != oid:
            return PlainTextResponse("the content is not what its name says", 422)
        self.uploaded[oid] = data
        return PlainTextResponse("")

    async def commit(self, request) -> Response:
        lines = [json.loads(line) for line in (await request.body()).splitlines()]
        files, changes = dict(self.files), []
        for line in lines[1:]:
            kind, value = line["key"], line["value"]
            changes.append((kind, value["path"]))
            if kind == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif kind == "lfsFile":
                files[value["path"]] = self.uploaded[value["oid"]]
            elif kind == "deletedFile":
                del files[value["path"]]
        self.files = files
        self.revision = hashlib.sha1(repr((self.revision, changes)).encode()).hexdigest()
        self.commits.append((lines[0]["value"]["summary"], changes))
        url = f"{self.url}/{repository(request)}/commit/{self.revision}"
        return JSONResponse({"success": True, "commitUrl": url, "commitOid": self.revision})

    # -------------------------------------------------------------------------------- routes

    def answering(self, handler, writes: bool = False):
        """A handler that keeps a record, waits, and refuses as it is told to."""

        async def answer(request) -> Response:
            path = request.url.path
            self.requests.append((request.method, path))
            while not self.open.is_set():
                await asyncio.sleep(0.01)
            for part, status in self.refuse.items():
                if part in path:
                    return JSONResponse({"error": "refused"}, status)
            if writes and request.headers.get("Authorization") != f"Bearer {TOKEN}":
                return JSONResponse({"error": "Invalid username or password."}, 401)
            answered = handler(request)
            return await answered if asyncio.iscoroutine(answered) else answered

        return answer

    def routes(self) -> list[Route]:
        api, named = "/api/models/{owner}/{repository}", "/{owner}/{repository}"
        data_api, data_named = "/api/datasets/{owner}/{repository}", "/datasets/{owner}/{repository}"
        readable = [
            (f"{named}/resolve/{{revision}}/{{path:path}}", self.resolve),
            (f"{api}/revision/{{revision}}", self.info),
            (f"{api}/tree/{{revision}}", self.tree),
            (api, self.info),
            (f"{data_named}/resolve/{{revision}}/{{path:path}}", self.resolve),
            (f"{data_api}/revision/{{revision}}", self.info),
            (data_api, self.info),
            (f"{data_api}/tree/{{revision}}", self.tree),
            (f"{data_api}/tree/{{revision}}/{{path:path}}", self.tree),
        ]
        writable = [
            ("/api/repos/create", self.create),
            ("/api/validate-yaml", self.validate),
            (f"{api}/preupload/{{revision}}", self.preupload),
            (f"{named}.git/info/lfs/objects/batch", self.batch),
            (f"{api}/commit/{{revision}}", self.commit),
        ]
        return [
            *(Route(path, self.answering(handler), methods=["GET", "HEAD"]) for path, handler in readable),
            *(Route(path, self.answering(handler, writes=True), methods=["POST"]) for path, handler in writable),
            Route(f"{data_api}/paths-info/{{revision}}", self.answering(self.paths), methods=["POST"]),
            Route("/lfs/{oid}", self.answering(self.upload), methods=["PUT"]),
        ]


def repository(request) -> str:
    return f"{request.path_params['owner']}/{request.path_params['repository']}"


def blob(data: bytes) -> str:
    """The name that git gives to a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def serving(files: dict[str, bytes], exists: bool = True):
    """A running `Hub` on a free port of 127.0.0.1."""
    hub = Hub(files, exists)
    config = uvicorn.Config(Starlette(routes=hub.routes()), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    hub.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield hub
    finally:
        hub.open.set()
        server.should_exit = True
        thread.join(10)
        listener.close()


def closed_port() -> str:
    """The address of a port of 127.0.0.1 on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"
