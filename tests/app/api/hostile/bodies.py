"""Bodies of requests: JSON, base64, values of arguments, forms, names of files, and what is too large."""

import base64
from collections.abc import Iterable

from tests.app.api.hostile.pictures import encoded, png
from tests.app.api.hostile.visitor import EITHER, EXAMPLES, REFUSED, Case

JSON = {
    "nothing": b"",
    "no JSON": b"image",
    "half": b'{"data": [',
    "null": b"null",
    "a number": b"5",
    "a string": b'"data"',
    "a list": b"[]",
    "NaN": b'{"data": [NaN], "image": NaN}',
    "Infinity": b'{"data": [Infinity, -Infinity], "image": Infinity}',
    "1e999": b'{"data": [1e999], "image": 1e999}',
    "a number of 10,000 digits": b'{"data": [' + b"9" * 10_000 + b'], "image": ' + b"9" * 10_000 + b"}",
    "100,000 brackets": b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "100,000 objects": b'{"image":' * 100_000 + b"1" + b"}" * 100_000,
    "twice the same key": b'{"image": "a", "image": {"path": "/etc/passwd"}, "data": [1], "data": [null]}',
    "a lone surrogate": b'{"data": ["\\ud800"], "image": "\\ud800"}',
    "a null byte": b'{"data": ["\\u0000"], "image": "\\u0000"}',
    "bytes that are no UTF-8": b'{"data": ["\xff\xfe"], "image": "\xc3\x28"}',
    "UTF-16": '{"data": [null]}'.encode("utf-16"),
    **{
        f"400,000 values behind a quote in {encoding}": f'{{"image":"∀","data":[{"[]," * 400_000}[]]}}'.encode(encoding)
        for encoding in ("UTF-16", "UTF-16-LE", "UTF-16-BE", "UTF-32", "UTF-32-LE", "UTF-32-BE")
    },
    "4 MiB of closing brackets": b"]" * 2**22,
    "a BOM": b'\xef\xbb\xbf{"data": [null]}',
    "something behind": b'{"data": [null]} {"data": 1}',
    "keys of Python": b'{"__class__": {"__init__": {"__globals__": 1}}, "data": [{"__reduce__": "id"}]}',
    "keys of JavaScript": b'{"__proto__": {"polluted": true}, "constructor": {"prototype": 1}, "data": [null]}',
    "an unknown field": b'{"data": [null], "image": "aGk=", "admin": true, "fn_index": 0, "trigger_id": -1}',
    "the wrong types": b'{"data": {"image": 1}, "image": ["a"], "face": "first", "whole_picture": "yes"}',
    "200,000 values": b'{"data": [' + b"0," * 200_000 + b'0], "image": "a"}',
    "a long string": b'{"data": ["' + b"A" * 2_000_000 + b'"], "image": "' + b"A" * 2_000_000 + b'"}',
    "another session's state": b'{"data": [null], "session_hash": "../../x", "event_id": "1", "fn_index": 99999}',
}
JSON_DOORS = (
    "/gradio_api/call/detect",
    "/gradio_api/call/v2/detect",
    "/gradio_api/run/detect",
    "/gradio_api/queue/join",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/mcp/",
    "/gradio_api/component_server",
    "/gradio_api/stream/0123",
    "/predict",
    "/api/v1/predict/emotion",
    "/api/v1/explain",
)
BASE64 = {
    "empty": "",
    "spaces": "   \n\t ",
    "no base64": "!!!! no base64 !!!!",
    "half": "iVBORw0KGgo",
    "in the alphabet of URLs": "_-_-_-_-",
    "with a null byte": "iVBO\0Rw0KGgo=",
    "unicode": "ｉＶＢＯＲｗ０ＫＧｇｏ＝",
    "much padding": "iVBORw0KGgo" + "=" * 100_000,
    "a path": "/etc/passwd",
    "an address": "http://169.254.169.254/latest/",
    "a data address without data": "data:image/png;base64,",
    "a data address of text": "data:text/html;base64,PHNjcmlwdD4=",
    "a data address without base64": "data:image/png,%89PNG",
    "a data address with a path in its type": "data:image/../../../x;base64,iVBORw0KGgo=",
    "a data address twice": "data:image/png;base64,data:image/png;base64,iVBORw0KGgo=",
    "a data address with a million parameters": "data:image/png" + ";a=b" * 250_000 + ";base64,AA==",
    "base64 of base64": base64.b64encode(base64.b64encode(png(64, 64))).decode(),
}
WRONG = {
    "model": ("alexnet", "../../models", "", None, 5, ["cnn"], "cnn\0", "ｃｎｎ", "__class__"),
    "method": ("lime", "shap", None, 5, {}, "gradcam; rm", "__init__"),
    "emotion": ("joy", "happiness", 3, ["sad"], "sad\0"),
    "params": (
        "fast",
        [],
        {"samples": 10**9},
        {"samples": "NaN"},
        {"__class__": 1},
        {"detail": "finest"},
        {"seed": -1},
    ),
    "face": (-1, 10**30, "0", 1.5, None, [0], True),
    "whole_picture": ("yes", 1, None, []),
}
FORM = "multipart/form-data; boundary=edge"
FILENAMES = (
    b"../../../../tmp/evil.png",
    b"/etc/cron.d/evil",
    b"..\\\\..\\\\evil.png",
    b"a\0b.png",
    b"a" * 10_000 + b".png",
    b".",
    b"..",
    b"....",
    b"con.png",
    b".htaccess",
    b"face.png/../../../evil",
    b"face.php\x00.png",
    "gnp.\u202eexe".encode(),
    "😀".encode() * 100,
    b"<img src=x onerror=alert(1)>.png",
    b"a\r\nSet-Cookie: b",
    b"%2e%2e%2fevil",
    b"$(id).png",
    b"index.html",
    b"\xff\xfe\xfd",
)


def form(*parts: bytes, edge: bytes = b"edge") -> bytes:
    return b"".join(b"--" + edge + b"\r\n" + part + b"\r\n" for part in parts) + b"--" + edge + b"--\r\n"


def part(name: bytes, data: bytes, filename: bytes | None = b"face.png", more: bytes = b"") -> bytes:
    named = b'; filename="' + filename + b'"' if filename is not None else b""
    return b'Content-Disposition: form-data; name="' + name + b'"' + named + b"\r\n" + more + b"\r\n" + data


def forms(name: bytes) -> dict[str, tuple[bytes, str, frozenset[int]]]:
    """Bodies of forms whose file is called `name`: what is sent, its type, and what is said to it."""
    good = encoded("PNG")
    return {
        "no boundary": (form(part(name, good)), "multipart/form-data", REFUSED),
        "another boundary": (form(part(name, good), edge=b"other"), FORM, EITHER),
        "a boundary of 70,000 bytes": (
            form(part(name, good)),
            "multipart/form-data; boundary=" + "e" * 30_000,
            REFUSED,
        ),
        "no end": (form(part(name, good))[:-8], FORM, EITHER),
        "nothing": (b"", FORM, EITHER),
        "only the end": (b"--edge--\r\n", FORM, EITHER),
        "no disposition": (b"--edge\r\n\r\nabc\r\n--edge--\r\n", FORM, REFUSED),
        "no name": (
            b'--edge\r\nContent-Disposition: form-data; filename="a"\r\n\r\nabc\r\n--edge--\r\n',
            FORM,
            REFUSED,
        ),
        "no filename": (form(part(name, b"abc", None)), FORM, REFUSED | {500}),
        "an empty filename": (form(part(name, good, b"")), FORM, EITHER),
        "another field": (form(part(b"picture", good)), FORM, EITHER),
        "10,000 fields": (form(*[part(b"a", b"", None)] * 10_000), FORM, REFUSED),
        "10,000 files": (form(*[part(name, b"")] * 10_000), FORM, REFUSED),
        "a head without end": (form(part(name, good, more=b"X-Long: " + b"x" * 100_000 + b"\r\n")), FORM, EITHER),
        "10,000 heads": (form(part(name, good, more=b"X-A: b\r\n" * 10_000)), FORM, EITHER),
        "JSON": (b'{"file": "a"}', "application/json", REFUSED),
        "a type of nothing": (form(part(name, good)), "", REFUSED),
        "a wrong charset": (form(part(name, good)), FORM + "; charset=utf-99", EITHER),
        "a form of the other kind": (b"file=abc", "application/x-www-form-urlencoded", REFUSED),
    }


def cases() -> Iterable[Case]:
    """Each body to every interface that reads its kind."""
    for path in JSON_DOORS:
        for name, body in JSON.items():
            allowed = EITHER if path.startswith("/gradio_api/") else REFUSED
            if path in ("/gradio_api/run/detect", "/gradio_api/mcp/"):
                allowed |= {500}  # Gradio's and MCP's own way to refuse; `leaks` reads what they say
            options = {"Accept": "application/json, text/event-stream"}
            yield Case(
                name,
                path,
                lambda visitor, path=path, body=body, options=options: visitor.post(path, body, **options),
                allowed,
            )
    for name, text in BASE64.items():
        yield Case(f"base64: {name}", "/api/v1", lambda visitor, text=text: visitor.v1("predict/emotion", image=text))
        yield Case(f"base64: {name}", "mcp", lambda visitor, text=text: visitor.tool("detect", image=text))
    picture = base64.b64encode((EXAMPLES / "astronaut.jpg").read_bytes()).decode()
    for name, values in WRONG.items():
        for value in values:
            fine = EITHER if (name, value) in (("model", ""), ("params", [])) else REFUSED
            yield Case(
                f"{name} = {str(value)[:40]!r}",
                "/api/v1/explain",
                lambda visitor, name=name, value=value: visitor.v1("explain", image=picture, **{name: value}),
                fine,
            )
    for path, name in (("/predict", b"file"), ("/predict/batch", b"files"), ("/gradio_api/upload", b"files")):
        for called, (body, kind, allowed) in forms(name).items():
            yield Case(
                f"form: {called}",
                path,
                lambda visitor, path=path, body=body, kind=kind: visitor.post(path, body, kind),
                allowed,
            )
    for filename in FILENAMES:
        for path, name in (("/predict", b"file"), ("/gradio_api/upload", b"files")):
            yield Case(
                f"a file called {filename[:40]!r}",
                path,
                lambda visitor, path=path, name=name, filename=filename: visitor.post(
                    path, form(part(name, encoded("PNG"), filename)), FORM
                ),
                EITHER,
            )
    large = b"x" * (30 * 2**20)
    for path in (
        "/predict",
        "/api/v1/explain",
        "/gradio_api/upload",
        "/gradio_api/queue/join",
        "/gradio_api/mcp/",
        "/",
    ):
        yield Case("30 MiB", path, lambda visitor, path=path: visitor.post(path, large, FORM), frozenset({413}))
        yield Case(
            "30 MiB that do not say so",
            path,
            lambda visitor, path=path: visitor.post(path, iter([large[: 2**20]] * 30), FORM),
            REFUSED,
        )
    yield Case(
        "a batch of 1,000",
        "/predict/batch",
        lambda visitor: visitor.request("POST", "/predict/batch", files=[("files", ("a.png", b"x"))] * 999),
    )
