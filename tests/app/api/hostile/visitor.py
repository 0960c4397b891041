"""Who sends hostile input, and what a case of it is.

What a server may say is a status. Gradio answers a call with an event, and MCP with a result: an event of an error
and a result that is one count as 422, and an error of JSON-RPC as 400.
"""

import base64
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx

EXAMPLES = Path(__file__).parents[4] / "examples"
META = {"meta": {"_type": "gradio.FileData"}}

READ = frozenset({200})
REFUSED = frozenset({400, 403, 404, 405, 413, 415, 422})
EITHER = READ | REFUSED
HUNG_UP = frozenset({0})
"""No answer: the line was closed, as for what is no HTTP."""


@dataclass(frozen=True)
class Heard:
    """What came back.

    Attributes:
        status: see above.
        text: body, or the data of the event.
        head: the head of the answer.
    """

    status: int
    text: str
    head: str = ""


@dataclass
class Visitor:
    """Sends what a case asks for.

    Attributes:
        url: of the server, without a slash at the end.
        secret: a file on the server that holds a good picture and a secret, and was never uploaded.
        link: a link to it in the folder for uploads.
        theirs: the path of another visitor's upload.
        folder: the folder for uploads.
        sent: everything that this visitor said, so that an echo is told from a leak.
    """

    url: str
    secret: str
    link: str
    theirs: str
    folder: str
    http: httpx.Client
    sent: list[str] = field(default_factory=list)

    def request(self, method: str, path: str, **options) -> Heard:
        self.sent.append(f"{path} {repr(options)[:100_000]}")
        try:
            answer = self.http.request(method, self.url + path, **options)
        except httpx.RemoteProtocolError:
            return Heard(0, "")
        return Heard(answer.status_code, answer.text, str(answer.headers))

    def raw(self, data: bytes) -> Heard:
        """Send bytes as they are, and hear until the line closes."""
        self.sent.append(data[:100_000].decode("latin-1"))
        host = urlsplit(self.url)
        heard = b""
        with socket.create_connection((host.hostname, host.port), timeout=15) as line:
            try:
                line.sendall(data)
                while more := line.recv(65536):
                    heard += more
            except OSError:
                pass
        head, _, body = heard.partition(b"\r\n\r\n")
        status = int(head.split()[1]) if head.startswith(b"HTTP/1.") else 0
        return Heard(status, body.decode("utf-8", "replace"), head.decode("latin-1"))

    def get(self, target: str, method: str = "GET", headers: str = "") -> Heard:
        """Ask for a target that nobody tidies up on the way."""
        return self.raw(
            f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n".encode("latin-1")
        )

    def post(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Heard:
        return self.request("POST", path, content=body, headers={"Content-Type": kind, **headers})

    def upload(self, data: bytes, name: str = "face.png", kind: str = "image/png") -> Heard:
        return self.request("POST", "/gradio_api/upload", files={"files": (name, data, kind)})

    def event(self, joined: Heard, path: str) -> Heard:
        """What a queued call ends in."""
        if joined.status != 200:
            return joined
        heard = self.request("GET", f"{path}/{json.loads(joined.text)['event_id']}")
        if "event: error" in heard.text:
            return Heard(422, heard.text, heard.head)
        return heard

    def call(self, name: str, *data) -> Heard:
        """Gradio's call of an endpoint."""
        path = f"/gradio_api/call/{name}"
        return self.event(self.request("POST", path, json={"data": data}), path)

    def call_v2(self, name: str, **arguments) -> Heard:
        path = f"/gradio_api/call/v2/{name}"
        return self.event(self.request("POST", path, json=arguments), path)

    def join(self, name: str, *data) -> Heard:
        """The page's way to call an endpoint."""
        config = self.http.get(f"{self.url}/config").json()
        index = next(event["id"] for event in config["dependencies"] if event["api_name"] == name)
        body = {"fn_index": index, "data": data, "session_hash": "hostile"}
        joined = self.request("POST", "/gradio_api/queue/join", json=body)
        if joined.status != 200:
            return joined
        heard = self.request("GET", "/gradio_api/queue/data?session_hash=hostile")
        return Heard(422, heard.text, heard.head) if '"success":false' in heard.text.replace(" ", "") else heard

    def detect(self, data: bytes, name: str = "face.png", kind: str = "image/png") -> Heard:
        """An upload, and the call that reads it."""
        uploaded = self.upload(data, name, kind)
        return (
            self.call("detect", {"path": json.loads(uploaded.text)[0], **META}) if uploaded.status == 200 else uploaded
        )

    def file(self, data: bytes, name: str = "face.png", kind: str = "image/png") -> Heard:
        return self.request("POST", "/predict", files={"file": (name, data, kind)})

    def coded(self, data: bytes, route: str = "predict/emotion") -> Heard:
        return self.request("POST", f"/api/v1/{route}", json={"image": base64.b64encode(data).decode()})

    def v1(self, route: str, **asked) -> Heard:
        return self.request("POST", f"/api/v1/{route}", json=asked)

    def mcp(self, method: str, params: dict | None = None, path: str = "/gradio_api/mcp/", **headers: str) -> Heard:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
        heard = self.request(
            "POST", path, json=body, headers={"Accept": "application/json, text/event-stream", **headers}
        )
        lines = [line.removeprefix("data: ") for line in heard.text.splitlines() if line.startswith("data: ")]
        if heard.status != 200 or not lines:
            return heard
        said = json.loads(lines[-1])
        if "error" in said:
            return Heard(400, heard.text, heard.head)
        return Heard(422 if said["result"].get("isError") else 200, heard.text, heard.head)

    def clip(self, data: bytes, name: str = "clip.mp4") -> Heard:
        """An upload, and what the page does with a clip; what it says of a clip that it cannot read counts as 422."""
        uploaded = self.upload(data, name, "video/mp4")
        if uploaded.status != 200:
            return uploaded
        heard = self.join("read_clip", None, None, 1, {"path": json.loads(uploaded.text)[0], **META}, "cnn")
        return Heard(422, heard.text, heard.head) if "fw-error" in heard.text else heard

    def coded_clip(self, data: bytes) -> Heard:
        return self.v1("video", video=base64.b64encode(data).decode(), model="cnn")

    def tool(self, name: str, **arguments) -> Heard:
        return self.mcp("tools/call", {"name": name, "arguments": arguments})


@dataclass(frozen=True)
class Case:
    name: str
    interface: str
    send: Callable[[Visitor], Heard]
    allowed: frozenset[int] = REFUSED


def meant(visitor: Visitor, path: str) -> str:
    """A path with the places of this server put in."""
    for word in ("SECRET", "LINK", "THEIRS", "FOLDER"):
        path = path.replace(word, getattr(visitor, word.lower()))
    return path
