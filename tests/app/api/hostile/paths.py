"""Paths and addresses in the place of a picture, and paths to files that nobody may read."""

from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from tests.app.api.hostile.visitor import EITHER, HUNG_UP, META, REFUSED, Case, meant

ENDPOINTS = ("detect", "predict", "keypoints", "explain", "trust", "report", "compare", "lab", "glass_box")
V1 = ("detect", "predict/emotion", "predict/keypoints", "explain", "compare", "trust", "report", "lab", "glass-box")
PATHS = (
    "SECRET",
    "LINK",
    "THEIRS/../../../../../../../..SECRET",
    "FOLDER",
    "FOLDER/",
    "FOLDER/../",
    "FOLDER/..SECRET",
    "/etc/passwd",
    "/proc/self/environ",
    "/proc/self/cmdline",
    "/proc/self/root/etc/passwd",
    "/proc/self/fd/0",
    "/dev/zero",
    "/dev/stdin",
    "/",
    ".",
    "..",
    "../../../../../../../../etc/passwd",
    "....//....//....//etc/passwd",
    "..\\..\\..\\etc\\passwd",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..%252f..%252fetc%252fpasswd",
    "..%c0%af..%c0%afetc/passwd",
    "/etc/passwd\0.png",
    "SECRET\0",
    "~/.ssh/id_rsa",
    "$HOME/.bashrc",
    "examples/astronaut.jpg",
    "README.md",
    "app/main.py",
    "file:///etc/passwd",
    "file://localhost/SECRET",
    "\\\\10.0.0.1\\share\\a.png",
    "//10.0.0.1/share/a.png",
    "C:\\Windows\\win.ini",
    "| cat /etc/passwd",
    "`id`.png",
    "a" * 5000,
    "／etc／passwd",
    "‮gnp.dwssap/cte/",
    "NaN",
)
ADDRESSES = (
    "http://127.0.0.1:1/a.png",
    "https://127.0.0.1:1/a.png",
    "HTTP://127.0.0.1:1/a.png",
    "http://[::1]:1/a.png",
    "http://2130706433:1/a.png",
    "http://0x7f.1:1/a.png",
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://user:word@127.0.0.1:1/",
    "https://example.invalid/a.png",
    "ftp://127.0.0.1:1/a.png",
    "gopher://127.0.0.1:1/_GET",
    "dict://127.0.0.1:1/info",
    "ldap://127.0.0.1:1/",
    "jar:http://127.0.0.1:1/a!/b",
    "data:text/html,<script>alert(1)</script>",
    "javascript:alert(1)",
    "//127.0.0.1:1/a.png",
    "http:/127.0.0.1:1/a.png",
    " http://127.0.0.1:1/a.png",
)
STATIC = (
    "/assets/../../../../../../etc/passwd",
    "/assets/..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/assets/%2e%2e/%2e%2e/%2e%2e/routes.py",
    "/static/../../../../routes.py",
    "/static/..%5c..%5croutes.py",
    "/static/%00",
    "/static//etc/passwd",
    "/svelte/../../../etc/passwd",
    "/svelte/..%2f..%2froutes.py",
    "/static-offline-docs/..%2f..%2f__init__.py",
    "/static-offline-docs/%2e%2e/__init__.py",
    "/gradio_api/custom_component/x/server/component/../../../etc/passwd",
    "/gradio_api/file/etc/passwd",
    "/gradio_api/stream/a/b/1/playlist-file",
    "/gradio_api/stream/..%2f/b/1/a.ts",
    "/gradio_api/run-history/records",
    "/gradio_api/dev/reload",
    "/gradio_api/deep_link?session_hash=..",
    "/gradio_api/profiling/traces",
    "/monitoring",
    "/monitoring/summary",
    "/monitoring/x",
    "/.env",
    "/.git/config",
    "/README.md",
    "/app/main.py",
    "/proc/self/environ",
    "/?page=../../etc/passwd",
    "/%00",
    "/%ff%fe",
    "//evil.example/..",
    "/" + "a/" * 5000,
)


def cases() -> Iterable[Case]:
    """Each path and address to every interface that takes a picture or tells a file."""
    for path in PATHS + ADDRESSES:
        short = path[:40]
        for name, given in {
            "bare": lambda said: {"path": said},
            "with meta": lambda said: {"path": said, **META},
        }.items():
            yield Case(
                f"{short!r} {name}",
                "call",
                lambda visitor, path=path, given=given: visitor.call("detect", given(meant(visitor, path))),
            )
        yield Case(
            f"{short!r} as its url",
            "call",
            lambda visitor, path=path: visitor.call("detect", {"url": meant(visitor, path)}),
        )
        yield Case(
            f"{short!r}",
            "file=",
            lambda visitor, path=path: visitor.get(f"/gradio_api/file={quote(meant(visitor, path), safe='/:.%')}"),
        )
        yield Case(
            f"{short!r}",
            "/api/v1",
            lambda visitor, path=path: visitor.v1("predict/emotion", image=meant(visitor, path)),
        )
        yield Case(f"{short!r}", "mcp", lambda visitor, path=path: visitor.tool("detect", image=meant(visitor, path)))
    for path in ("SECRET", "LINK", "/etc/passwd", "http://127.0.0.1:1/a.png", "FOLDER"):
        for endpoint in ENDPOINTS[1:]:
            yield Case(
                f"{path} to {endpoint}",
                "call",
                lambda visitor, path=path, endpoint=endpoint: visitor.call_v2(
                    endpoint, image={"path": meant(visitor, path), **META}
                ),
            )
        yield Case(
            f"{path} on the page's way",
            "join",
            lambda visitor, path=path: visitor.join("detect", {"path": meant(visitor, path), **META}),
        )
        for route in V1[2:]:
            yield Case(
                f"{path} to {route}",
                "/api/v1",
                lambda visitor, path=path, route=route: visitor.v1(route, image=meant(visitor, path)),
            )
    for address in ("http://169.254.169.254/", "https://example.invalid/", "https://a.hf.space/", "file:///etc/passwd"):
        yield Case(address, "proxy=", lambda visitor, address=address: visitor.get(f"/gradio_api/proxy={address}"))
    for header in ("Host", "X-Forwarded-Host", "X-Gradio-Server"):
        yield Case(
            f"{header} of another server",
            "mcp",
            lambda visitor, header=header: visitor.mcp(
                "tools/call", {"name": "detect", "arguments": {"image": "data:,"}}, **{header: "127.0.0.1:1"}
            ),
        )
    yield Case(
        "the folder of another's upload",
        "file=",
        lambda visitor: visitor.get(f"/gradio_api/file={Path(visitor.theirs).parent}"),
    )
    yield Case(
        "the name of another's upload in one's own place",
        "file=",
        lambda visitor: visitor.get(f"/gradio_api/file={visitor.folder}/{'0' * 64}/{Path(visitor.theirs).name}"),
    )
    for target in STATIC:
        allowed = EITHER | HUNG_UP if target.startswith(("/?", "//")) else REFUSED | HUNG_UP
        yield Case(target[:50], "static", lambda visitor, target=target: visitor.get(target), allowed)
