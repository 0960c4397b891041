"""Every private part of Gradio and uvicorn that is touched, by name: an upgrade that moves one fails here."""

import ast
import inspect
import re
from pathlib import Path

import gradio as gr
import h11
import pytest
from gradio import queueing, route_utils, state_holder
from gradio.components.api_component import Api
from gradio.context import Context
from starlette.formparsers import MultiPartParser
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import Server

from app import main
from app.security import routes
from app.server import create
from app.ui.gradio_overrides import blocks, graceful_server, http_protocol, mounting, sessions
from app.ui.gradio_overrides.queue import PageQueue

APP = Path(main.__file__).parent
HELD = (
    ("uvicorn answers a request after this", H11Protocol, "on_response_complete self"),
    ("a connection begins", H11Protocol, "connection_made self transport"),
    ("bytes come", H11Protocol, "data_received self data"),
    ("a client reads too slowly", H11Protocol, "pause_writing self"),
    ("a client reads on", H11Protocol, "resume_writing self"),
    ("a connection ends", H11Protocol, "connection_lost self exc"),
    ("the server starts", Server, "startup self sockets"),
    ("a signal comes", Server, None, "handle_exit"),
    ("the server stops", Server, "shutdown self sockets"),
    ("a call joins", queueing.Queue, "push self body request username"),
    ("calls to run are picked", queueing.Queue, "get_events self"),
    ("a call runs", queueing.Queue, "process_events self events batch begin_time fn"),
    ("a call is cancelled", queueing.Queue, "remove_from_queue self event_id"),
    ("a stream is gone", queueing.Queue, "clean_events self session_hash event_id"),
    ("an answer is sent", queueing.Queue, "send_message self event event_message"),
    ("calls are summed up", queueing.Queue, "compute_analytics_summary self records"),
    ("an upload begins", route_utils.FileUploadProgress, "track self upload_id"),
    ("an upload is waited for", route_utils.FileUploadProgress, "is_tracked self upload_id"),
    ("an upload goes on", route_utils.FileUploadProgress, "append self upload_id filename message_bytes"),
    ("an upload ends", route_utils.FileUploadProgress, "set_done self upload_id"),
    ("an upload is forgotten", route_utils.FileUploadProgress, "stop_tracking self upload_id"),
    ("uploads are read", route_utils, None, "upload_fn"),
    ("an upload's parts are read", route_utils, None, "GradioMultiPartParser"),
    ("the page's app is known", queueing.Queue, "set_server_app self app"),
    ("an event's function is found", route_utils, "get_fn blocks api_name body"),
    ("a session begins", state_holder.SessionState, "__init__ self blocks"),
    ("a session is asked for", state_holder.StateHolder, "__getitem__ self session_id"),
    ("a component's look is copied", state_holder.SessionState, "_update_config self key"),
    ("what a component shows is copied", state_holder.SessionState, "_update_value_in_config self key value"),
    ("sessions expire", state_holder.StateHolder, "delete_all_expired_state self"),
    ("a page starts", gr.Blocks, "run_startup_events self"),
    ("a call is computed", gr.Blocks, None, "process_api"),
    ("a call's inputs are read", gr.Blocks, None, "preprocess_data"),
    ("an event is registered", gr.blocks.BlocksConfig, None, "set_event_trigger"),
    ("a picture is moved", gr.Image, "async_move_resource_to_block_cache self url_or_file_path"),
    ("a clip is moved", gr.Video, "async_move_resource_to_block_cache self url_or_file_path"),
)
UNDOCUMENTED = {
    "GRADIO_CACHE",
    "async_move_resource_to_block_cache",
    "file_upload_statuses",
    "get_blocks",
    "local_url",
    "mcp_server_obj",
    "set_event_trigger",
    "spool_max_size",
    "state_holder",
    "upload_file_set",
}
"""Parts without an underscore that are touched in the same folder and nowhere else."""


@pytest.mark.parametrize("part", HELD, ids=lambda part: part[0])
def test_what_we_override_or_call_is_still_there(part):
    said, owner, *rest = part
    name, *parameters = rest[0].split() if rest[0] else rest[1:]
    function = getattr(owner, name, None)
    assert callable(function), f"{said}: {owner.__name__}.{name} is gone"
    if rest[0]:
        assert list(inspect.signature(function).parameters) == parameters, f"{said}: {owner.__name__}.{name} changed"


def test_the_fields_that_we_read_are_still_there():
    page = main.build()
    queue = page._queue
    assert isinstance(queue, PageQueue)
    for field in ("event_queue_per_concurrency_id", "event_ids_to_events", "pending_messages_per_session"):
        assert isinstance(getattr(queue, field), dict), f"Queue.{field} is gone"
    assert {"_statuses", "_signals"} <= set(vars(route_utils.FileUploadProgress()))
    assert isinstance(gr.routes.file_upload_statuses, route_utils.FileUploadProgress)
    assert "upload_fn(" in inspect.getsource(gr.routes) and isinstance(page.upload_file_set, set)
    assert "GradioMultiPartParser(" in inspect.getsource(route_utils) and gr.routes.upload_fn
    assert "_files_to_close_on_error" in _assigned_in(route_utils)
    assert queue.ANALYTICS_MAX_EVENTS == 1 and queue.cached_event_analytics_summary == {"functions": {}}
    assert {"iterators_to_reset", "iterators"} <= set(_assigned_in(gr.routes))
    assert queue.active_jobs == [] and queue.pending_event_ids_session == {}
    assert {"queue", "current_concurrency"} <= set(vars(queueing.EventQueue("a", 1)))
    assert {"concurrency_id", "concurrency_limit"} <= set(vars(next(iter(page.fns.values()))))
    assert hasattr(gr.EventData(None, None), "_data") and hasattr(Context, "root_block")
    assert list(inspect.signature(Api).parameters)[:3] == ["value", "_api_info", "label"]
    assert {"state_data", "is_closed"} <= set(dir(state_holder.SessionState(page)))
    assert "SessionState(self.blocks)" in inspect.getsource(gr.mcp)
    assert {"session_data", "time_last_used"} <= set(vars(state_holder.StateHolder()))
    assert {"_captured_signals", "should_exit", "server_state"} <= set(_assigned(Server))
    assert {"conn", "loop", "transport", "client", "flow"} <= set(_assigned(H11Protocol))
    assert h11.IDLE and h11.SEND_BODY
    application = create(page)
    mounted = application.routes[-1].app
    assert mounted is mounting.mounted_on(application)
    assert mounted.stop_event is not None and mounted.get_blocks() is page
    assert {"local_url", "state_session_capacity"} <= set(vars(page)) and isinstance(gr.Image().GRADIO_CACHE, str)
    assert isinstance(MultiPartParser.spool_max_size, int) and gr.Request("asked").request == "asked"
    assert page.mcp_server_obj.mcp_server is not None
    assert isinstance(mounted.state_holder, sessions.SessionStore)
    assert gr.mcp.SessionState is sessions.LeanSession
    found = re.findall(r'@(app|router)\.\w+\(\s*"([^"]+)"', inspect.getsource(gr.routes))
    known = {("" if owner == "app" else "/gradio_api") + path for owner, path in found}
    opened = {path for path in known if routes.OPEN.fullmatch(re.sub(r"\{[^}]*\}", "x", path))}
    for needed in ("/config", "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/call/{api_name}"):
        assert needed in opened
    frames = {"/gradio_api/stream/{event_id}", "/gradio_api/stream/{event_id}/close"}
    assert frames <= opened
    for path in opened - frames:
        assert not re.search("proxy|record|component|stream|monitor|vibe|dev/|deep|run-history|runs", path), path


def _assigned(kind: type) -> set[str]:
    return _assigned_in(inspect.getmodule(kind))


def _assigned_in(module) -> set[str]:
    tree = ast.parse(inspect.getsource(module))
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_private_parts_are_touched_in_one_folder():
    """Outside it, nothing reaches for `UNDOCUMENTED`, nor for a name with an underscore of an object not its own."""
    for path in APP.rglob("*.py"):
        if "gradio_overrides" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        touched = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not UNDOCUMENTED & (touched | defined), f"{path.name}: {UNDOCUMENTED & (touched | defined)}"
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and re.match("_[a-z]", node.attr) and node.attr not in NAMED_TUPLE:
                owner = node.value
                assert isinstance(owner, ast.Name) and owner.id in ("self", "cls"), f"{path.name}: {ast.unparse(node)}"


NAMED_TUPLE = ("_replace", "_asdict", "_fields", "_make")


def test_our_classes_still_stand_in_for_theirs():
    assert issubclass(graceful_server.GracefulServer, Server)
    assert issubclass(http_protocol.HeaderTimeoutProtocol, H11Protocol)
    assert issubclass(blocks.SafeBlocks, gr.Blocks)
