"""docs/api.md says what the endpoints' models say."""

from pathlib import Path

from pydantic_core import to_json

from app.api import requests
from app.api.endpoints import ENDPOINTS

TEXT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


def endpoint_table() -> str:
    """Every endpoint and what it does, as the page must have it."""
    rows = ["| endpoint | `POST` | what it answers |", "|---|---|---|"]
    for endpoint in ENDPOINTS.values():
        summary = endpoint.description.partition("\n")[0]
        rows.append(f"| `{endpoint.name}` | `/api/v1/{endpoint.route}` | {summary} |")
    return "\n".join(rows)


def field_table() -> str:
    """Every field of the requests, as the page must have it; a name that means different things has several rows."""
    found: dict[tuple, list[str]] = {}
    for endpoint in ENDPOINTS.values():
        for name, schema in endpoint.request_schema()["properties"].items():
            default = "" if name in ("image", "video") else f"`{to_json(schema['default']).decode()}`"
            found.setdefault((name, values(schema), default, schema["description"]), []).append(endpoint.name)
    rows = ["| field | of | values | unless given | what it is |", "|---|---|---|---|---|"]
    for (name, allowed, default, description), names in sorted(found.items(), key=lambda row: order(row[0][0])):
        others = [name for name in ENDPOINTS if name not in names]
        where = "all" if not others else f"all but {others[0]}" if len(others) == 1 else ", ".join(names)
        rows.append(f"| `{name}` | {where} | {allowed} | {default} | {description} |")
    return "\n".join(rows)


def values(schema: dict) -> str:
    """What a field may be, in words."""
    for part in schema.get("anyOf", [schema]):
        if "enum" in part:
            names = [f"`{name}`" for name in part["enum"] if name != ""]
            return "a method" if "`gradcam`" in names else ", ".join(names)
    kinds = {
        "boolean": "true, false",
        "integer": f"a number from {schema.get('minimum', 0)}"
        + (f" to {schema['maximum']}" if "maximum" in schema else ""),
        "string": "text",
        "object": "an object",
    }
    return next(kinds[part["type"]] for part in schema.get("anyOf", [schema]))


def order(name: str) -> int:
    """Where a field stands: as in the request with the most fields, then the others."""
    models = (
        requests.ExplainRequest,
        requests.LabRequest,
        requests.PredictRequest,
        requests.ReportRequest,
        requests.DatasetRequest,
        requests.GlassBoxRequest,
        requests.VideoRequest,
    )
    fields = list(dict.fromkeys([name for request in models for name in request.model_fields]))
    return fields.index(name)


def test_the_page_lists_every_endpoint():
    assert f"\n\n{endpoint_table()}\n\n" in TEXT


def test_the_page_lists_every_field():
    assert f"\n\n{field_table()}\n\n" in TEXT
