"""JSON that is long where no picture belongs, or of too many values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.security import json_limits
from tests.app.security.small_app import ask, refused


@pytest.mark.parametrize("path", ["/gradio_api/call/explain", "/gradio_api/queue/join", "/config"])
@pytest.mark.parametrize("said", [True, False], ids=["said", "found out"])
def test_where_no_picture_belongs_a_body_is_short(path, said):
    async def parts():
        for _ in range(66):
            yield b"x" * 1024

    content = b"x" * (64 * 1024 + 1) if said else parts()
    refused(ask(path=path, content=content), 413, "RequestTooLarge")
    assert ask(path=path, content=b"x" * 64 * 1024).status_code in (200, 405, 404)


@pytest.mark.parametrize("path", ["/api/v1/explain", "/gradio_api/mcp/", "/gradio_api/call/v2/explain"])
@pytest.mark.parametrize(
    "body",
    [
        b'{"data":[' + b"[]," * 20_000 + b"[]]}",
        b'{"image":"","params":{"a":[' + b"1," * 30_000 + b"1]}}",
        b'{"a":' * 65 + b"1" + b"}" * 65,
        b"[" * 60_000,
        b'"' + b'\\"' * 30_000 + b'"',
        b'["",' + b'"",' * 20_000 + b'""]',
        b'{"a":"' + b"\\\\" * 12_000 + b'",' + b'"b":[' + b"0," * 11_000 + b"0]}",
    ],
    ids=["lists", "numbers", "deep", "open", "escaped", "texts", "behind backslashes"],
)
def test_small_json_of_many_values_is_refused_before_it_is_parsed(path, body):
    """1 MiB of it took 2 s of the event loop, 25 MiB 21 s and 2 GiB."""
    refused(ask(path=path, content=body), 413, "RequestTooLarge")


ROUTES = (
    "/predict",
    "/api/v1/explain",
    "/gradio_api/mcp/",
    "/gradio_api/call/explain",
    "/gradio_api/api/detect",
    "/gradio_api/stream/abc",
    "/gradio_api/queue/join",
)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_values_do_not_hide_in_another_encoding(path, encoding):
    """Half of U+2200 is the byte of a quote, behind which 400,000 lists were not counted and then parsed."""
    lists = "[]," * (400_000 if path in ("/predict", "/api/v1/explain", "/gradio_api/mcp/") else 2_000)
    body = f'{{"image":"\u2200","params":{{"a":[{lists}[]]}}}}'.encode(encoding)
    said = refused(ask(path=path, content=body, headers={"Content-Type": "application/json"}), 400, "BadRequest")
    assert "UTF-8" in said["message"] and "UTF-8" in said["advice"]


@pytest.mark.parametrize("body", [b'{"a":"\xc3("}', b'"\xed\xa0\x80"', b'["a\0b"]', b'"' + b"a" * 2**18 + b'\xe2"'])
def test_what_is_not_utf8_is_refused(body):
    refused(ask(path="/api/v1/explain", content=body), 400, "BadRequest")


def test_text_of_any_language_is_let_through_wherever_it_is_cut():
    for ahead in range(4):
        body = json.dumps({"a" * ahead: "∀é😀" * 40_000}, ensure_ascii=False).encode()
        assert ask(path="/api/v1/explain", content=body).json() == {"bytes": len(body)}
    assert json_limits.fault_of(b"\xef\xbb\xbf{}") is None, "a mark that UTF-8 may begin with"


def test_what_closes_more_than_was_opened_is_looked_at_no_further(monkeypatch):
    """4 MiB of it took a fifth of a second."""
    monkeypatch.setattr(json_limits, "structure", lambda body: iter([b"[]]", pytest.fail]))
    refused(ask(path="/api/v1/explain", content=b"[]]"), 400, "BadRequest")


def test_a_large_picture_in_json_is_let_through():
    body = json.dumps({"image": "data:image/png;base64," + "iVBOR/+" * 2_000_000, "params": {"a": [1, 2, {"b": "\\"}]}})
    assert ask(path="/api/v1/explain", content=body.encode()).json() == {"bytes": len(body)}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='a"\\[]{},:\n'),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='k"\\,['), inner, max_size=4),
    max_leaves=40,
)


@given(values)
def test_values_are_counted_as_a_parser_would_find_them(value):
    """Never fewer than there are, so that nothing hides behind quotes and backslashes."""

    def count(found) -> int:
        if isinstance(found, dict):
            return 1 + sum(1 + count(inner) for inner in found.values())
        return 1 + sum(map(count, found)) if isinstance(found, list) else 1

    def depth(found) -> int:
        inner = found.values() if isinstance(found, dict) else found if isinstance(found, list) else None
        return 0 if inner is None else 1 + max(map(depth, inner), default=0)

    body = json.dumps(value).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_limits, "DEPTH", max(1, depth(value)))
        assert json_limits.fault_of(body) is None
        patch.setattr(json_limits, "DEPTH", depth(value) - 1)
        assert not depth(value) or json_limits.fault_of(body)
        patch.setattr(json_limits, "DEPTH", 100)
        patch.setattr(json_limits, "NODES", count(value) // 4)
        assert count(value) < 8 or json_limits.fault_of(body)


def test_json_is_bounded_where_files_are_read_as_well():
    body = b"[" * 20_000
    refused(ask(content=body, headers={"Content-Type": "application/json; x=y"}), 413, "RequestTooLarge")
    assert ask(content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}).status_code == 200
    assert ask(content=b'{"image": "' + b"A" * 100_000 + b'"}', headers={"Content-Type": "application/json"}).is_success
