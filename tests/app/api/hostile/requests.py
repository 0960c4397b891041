"""Requests whose method, head, line, function, site or route is not what the server offers."""

from collections.abc import Iterable
from urllib.parse import quote

from tests.app.api.hostile.bodies import FORM, form, part
from tests.app.api.hostile.visitor import EITHER, HUNG_UP, META, REFUSED, Case

CHUNKED = b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"


def cases() -> Iterable[Case]:
    """Each of them, over HTTP, MCP or a bare line."""
    for path in ("/predict", "/predict/batch", "/api/v1/explain", "/gradio_api/call/detect", "/gradio_api/upload"):
        for method in ("GET", "PUT", "DELETE", "PATCH", "TRACE", "FOO", "post", "X" * 5000):
            yield Case(
                f"{method[:20]} ",
                path,
                lambda visitor, path=path, method=method: visitor.get(path, method),
                REFUSED | HUNG_UP,
            )
    for path in ("/health", "/emotions", "/models", "/metrics", "/gradio_api/info", "/config"):
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            yield Case(f"{method}", path, lambda visitor, path=path, method=method: visitor.request(method, path))
    for name, head in {
        "a head of 1 MB": "X-Long: " + "x" * 1_000_000 + "\r\n",
        "10,000 heads": "X-A: b\r\n" * 10_000,
        "a fold": "X-A: b\r\n c\r\n",
        "a null byte": "X-A: b\0c\r\n",
        "two lengths": "Content-Length: 5\r\nContent-Length: 6\r\n",
        "length and chunks": "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "an unknown transfer": "Transfer-Encoding: gzip, chunked\r\n",
        "a negative length": "Content-Length: -1\r\n",
        "a huge length": "Content-Length: " + "9" * 400 + "\r\n",
        "another host": "Host: evil.example\r\n",
        "a websocket": "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n",
        "HTTP/2": "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "an address for the answer": "X-Forwarded-For: " + "1.2.3.4, " * 1000 + "\r\n",
        "a range": "Range: bytes=0-,0-,0-" + ",0-" * 1000 + "\r\n",
        "a language": "Accept-Language: ../../etc/passwd\r\n",
        "cookies": "Cookie: session=../../x; access-token=1\r\n",
        "a number of bytes": "Range: bytes=999999999999-0\r\n",
    }.items():
        yield Case(
            f"head: {name}",
            "/",
            lambda visitor, head=head: visitor.get("/", headers=head),
            EITHER | HUNG_UP | {431, 501},
        )
    for name, data in {
        "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        "HTTP/0.9": b"GET /\r\n\r\n",
        "HTTP/9": b"GET / HTTP/9.9\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "a whole address": b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "connect": b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "a star": b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "a space in the path": b"GET /a b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        "a smuggled request": b"POST /gradio_api/reset HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
        b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /gradio_api/proxy=x HTTP/1.1\r\n\r\n",
        "a bad chunk": CHUNKED + b"zz\r\nabc\r\n",
        "a chunk of 2^64": CHUNKED + b"ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
    }.items():
        yield Case(
            f"line: {name}", "socket", lambda visitor, data=data: visitor.raw(data), EITHER | HUNG_UP | {501, 505}
        )
    for path in ("nothing", "__class__", "../detect", "detect%00", "detect/../../x", "ｄｅｔｅｃｔ", "1", "a" * 5000):
        yield Case(
            f"endpoint {path[:20]!r}",
            "call",
            lambda visitor, path=path: visitor.get(
                f"/gradio_api/call/{quote(path, safe='/.%')}", "POST", "Content-Length: 0\r\n"
            ),
        )
        yield Case(f"tool {path[:20]!r}", "mcp", lambda visitor, path=path: visitor.tool(path, image="data:,"))
    for event in ("x", "../../etc/passwd", "0" * 64, "%00"):
        yield Case(
            f"event {event[:20]!r}",
            "call",
            lambda visitor, event=event: visitor.get(f"/gradio_api/call/detect/{event}"),
            EITHER,
        )
    for index in (-1, 10**9, 10**30, "0", None, 1.5, [0], True):
        body = {"fn_index": index, "data": [{"path": "/etc/passwd", **META}], "session_hash": "x"}
        yield Case(
            f"function {index}",
            "run",
            lambda visitor, body=body: visitor.request("POST", "/gradio_api/run/predict", json=body),
            REFUSED | {500},
        )
    for name, headers in {
        "another site": {"Origin": "https://evil.example"},
        "no site": {"Origin": "null"},
        "another site by its mark": {"Sec-Fetch-Site": "cross-site"},
    }.items():
        for path in (
            "/predict",
            "/api/v1/explain",
            "/gradio_api/call/detect",
            "/gradio_api/upload",
            "/gradio_api/mcp/",
        ):
            yield Case(
                f"a page of {name}",
                path,
                lambda visitor, path=path, headers=headers: visitor.request("POST", path, headers=headers),
                frozenset({403}),
            )
    for method, params in {
        "nothing": {},
        "tools/call": {},
        "resources/read": {"uri": "file:///etc/passwd"},
        "prompts/get": {"name": "../../x"},
        "completion/complete": {"ref": {"type": "ref/resource", "uri": "file:///etc/passwd"}},
        "logging/setLevel": {"level": "debug"},
        "sampling/createMessage": {},
    }.items():
        yield Case(method, "mcp", lambda visitor, method=method, params=params: visitor.mcp(method, params))
    for path in (
        "/gradio_api/mcp/messages/?session_id=x",
        "/gradio_api/mcp/messages/?session_id=" + "0" * 32,
        "/gradio_api/mcp/x",
    ):
        yield Case(path[-30:], "mcp", lambda visitor, path=path: visitor.mcp("tools/list", path=path))
    for path in (
        "process_recording",
        "vibe-edit",
        "vibe-code",
        "vibe-starter-queries",
        "undo-vibe-edit",
        "component_server",
    ):
        yield Case(
            path,
            "closed",
            lambda visitor, path=path: visitor.post(f"/gradio_api/{path}", form(part(b"video", b"x")), FORM),
            frozenset({404}),
        )
