"""The text protobufs that TensorFlow Serving reads, by the fields that its .proto files name."""

from pathlib import Path

import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from app.serving import tf_serving
from models.zoo import EMOTION_MODELS

DEPLOY = Path(__file__).parents[2] / "deploy"
FIELD = descriptor_pb2.FieldDescriptorProto
PROTOS = {
    # tensorflow_serving/config/model_server_config.proto
    "ModelServerConfig": [("model_config_list", 1, "ModelConfigList", False)],
    "ModelConfigList": [("config", 1, "ModelConfig", True)],
    "ModelConfig": [
        ("name", 1, str, False),
        ("base_path", 2, str, False),
        ("model_platform", 4, str, False),
        ("model_version_policy", 7, "ServableVersionPolicy", False),
    ],
    # tensorflow_serving/config/file_system_storage_path_source.proto
    "ServableVersionPolicy": [("latest", 100, "Latest", False), ("all", 101, "All", False)],
    "Latest": [("num_versions", 1, int, False)],
    "All": [],
    # tensorflow_serving/servables/tensorflow/session_bundle_config.proto
    "BatchingParameters": [
        ("max_batch_size", 1, "Int64Value", False),
        ("batch_timeout_micros", 2, "Int64Value", False),
        ("max_enqueued_batches", 3, "Int64Value", False),
        ("num_batch_threads", 4, "Int64Value", False),
        ("allowed_batch_sizes", 6, int, True),
    ],
    "Int64Value": [("value", 1, int, False)],
}


@pytest.fixture(scope="module")
def messages() -> dict:
    """The messages above as classes."""
    file = descriptor_pb2.FileDescriptorProto(name="serving.proto", package="serving", syntax="proto3")
    for name, fields in PROTOS.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            label = FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL
            made = message.field.add(name=field, number=number, label=label)
            made.type = {str: FIELD.TYPE_STRING, int: FIELD.TYPE_INT64}.get(kind, FIELD.TYPE_MESSAGE)
            if isinstance(kind, str):
                made.type_name = f".serving.{kind}"
    return message_factory.GetMessages([file], pool=descriptor_pool.DescriptorPool())


def parsed(messages, file: str, name: str):
    return text_format.Parse((DEPLOY / "serving" / file).read_text(), messages[f"serving.{name}"]())


def test_every_emotion_model_is_served_from_where_compose_puts_the_exports(messages):
    found = parsed(messages, "models.config", "ModelServerConfig").model_config_list.config
    assert [model.name for model in found] == list(EMOTION_MODELS)
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["serving"]
    assert "../exports:/models:ro" in service["volumes"]
    for model in found:
        assert model.base_path == f"/models/{model.name}" and model.model_platform == "tensorflow"
        assert model.model_version_policy.HasField("all"), "an app asks for the version that it explains"


def test_a_batch_holds_what_the_app_sends_at_once(messages):
    found = parsed(messages, "batching.config", "BatchingParameters")
    assert found.max_batch_size.value >= tf_serving.CHUNK
    assert 0 < found.batch_timeout_micros.value <= 10_000 and found.num_batch_threads.value >= 1


def test_compose_starts_the_server_with_these_files():
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["serving"]
    named = {line.rpartition("/")[2] for line in service["command"] if line.startswith(("--model_c", "--batching"))}
    assert named == {path.name for path in (DEPLOY / "serving").iterdir()}
    assert "./serving:/etc/facewhy:ro" in service["volumes"] and "--rest_api_port=8501" in service["command"]


def test_a_field_that_does_not_exist_is_refused(messages):
    with pytest.raises(text_format.ParseError, match="max_batch"):
        text_format.Parse("max_batch { value: 1 }", messages["serving.BatchingParameters"]())
