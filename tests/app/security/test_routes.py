"""Which routes are open, with and without a root path."""

import pytest

from app.security import routes
from app.security.settings import Settings
from tests.app.security.small_app import OWN, ask, refused

CLOSED = (
    "/gradio_api/process_recording",
    "/gradio_api/proxy=https://a.example/",
    "/gradio_api/component_server",
    "/gradio_api/custom_component/1/client/component/index.js",
    "/gradio_api/deep_link",
    "/gradio_api/dev/reload",
    "/gradio_api/runs",
    "/gradio_api/run-history/records",
    "/gradio_api/stream/a/b/1/playlist.m3u8",
    "/gradio_api/vibe-edit/",
    "/gradio_api/file=http://169.254.169.254/latest/meta-data",
    "/gradio_api/file=HTTPS://a.example/a.png",
    "/gradio_api/file=%2568ttp:%252f%252fa.example",
    "/gradio_api/file=%5C%5Cserver%5Cshare",
    "/gradio_api/file=a%00.png",
    "/gradio_api/file/etc/passwd",
    "/monitoring/summary",
    "/login",
    "/a-new-route",
)
OPEN = ("/", "/config", "/health", "/predict", "/gradio_api/queue/join", "/gradio_api/file=a.png", "/assets/a.js")


@pytest.mark.parametrize("root", ["", "/fw", "/a/b"])
@pytest.mark.parametrize("path", CLOSED)
def test_routes_that_nobody_needs_are_not_there(path, root):
    """Behind a root path too, however the slash is written: /fw/gradio_api/proxy= reached Gradio."""
    settings = {"root_path": root}
    sent = {path, root + path, path.replace("/", "//", 1), root + path.replace("/", "//", 1)}
    sent |= {path.replace("/gradio_api/", "/gradio_api//"), root + path.replace("gradio_api", "%67radio_api")}
    for each in sent:
        for method in ("GET", "POST"):
            refused(ask(method, OWN + each, settings=settings), 404, "NotFound")


@pytest.mark.parametrize("root", ["", "/fw"])
@pytest.mark.parametrize("path", OPEN)
def test_what_page_clients_and_programs_need_is_open(path, root):
    for each in (path, root + path):
        assert ask("GET", each, settings={"root_path": root}).status_code == 200


def test_the_root_path_is_what_gradio_takes_it_for():
    for value in ("/fw", "/fw/", "https://a.example/fw"):
        assert Settings.from_env({"GRADIO_ROOT_PATH": value}).root_path == "/fw"
    assert routes.seen_by_routes("/fwx/config", "/fw") == "/fwx/config"
    assert routes.seen_by_routes("/fw", "/fw") == "/fw"
