"""The manifest for Cloud Run, as far as it can be checked without the cloud."""

import json
import os
import re
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from app.security import settings
from models import photo
from tests.deploy import image
from tests.deploy.test_kubernetes import NEWEST

ROOT = Path(__file__).parents[2]
SERVICE = yaml.safe_load((ROOT / "deploy" / "cloudrun.yaml").read_text(encoding="utf-8"))
SPEC = SERVICE["spec"]["template"]["spec"]
ANNOTATIONS = SERVICE["spec"]["template"]["metadata"]["annotations"]
[CONTAINER] = SPEC["containers"]
STEPS = image.instructions((ROOT / "deploy" / "Dockerfile").read_text())
KNOWN = {"containerConcurrency", "timeoutSeconds", "containers"}
"""Of Knative's own fields, those that the manifest has beside Kubernetes'."""


def test_its_container_is_one_by_kubernetes_schema():
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [CONTAINER]}}
    assert kubernetes_validate.validate(pod, NEWEST, strict=True) == NEWEST
    assert (SERVICE["apiVersion"], SERVICE["kind"], set(SPEC)) == ("serving.knative.dev/v1", "Service", KNOWN)
    assert all(isinstance(value, str) for value in ANNOTATIONS.values()), "annotations are strings"


@pytest.mark.parametrize("port", ["8080", "9000"])
def test_the_page_listens_where_cloud_run_says(port, tmp_path):
    command = image.last(STEPS, "CMD").arguments
    stub = tmp_path / command[0]
    stub.write_text('#!/bin/sh\necho "$GRADIO_SERVER_PORT $*"\n', encoding="utf-8")
    stub.chmod(0o755)
    given = os.environ | {"PATH": f"{tmp_path}:/usr/bin:/bin", "PORT": port, "GRADIO_SERVER_PORT": "7860"}
    done = subprocess.run([*CONTAINER["command"], *CONTAINER["args"]], env=given, capture_output=True, text=True)
    assert done.stdout.split() == [port, *command[1:]], done.stderr


def test_probes_ask_the_port_and_give_the_models_time():
    [port] = CONTAINER["ports"]
    startup = CONTAINER["startupProbe"]
    assert port["containerPort"] == startup["httpGet"]["port"] == CONTAINER["livenessProbe"]["httpGet"]["port"]
    assert startup["httpGet"]["path"] == "/health?ready=true"
    assert 120 <= startup["periodSeconds"] * startup["failureThreshold"] <= 240, "Cloud Run waits no longer"


def test_memory_concurrency_and_visitors_fit_the_page():
    assert CONTAINER["resources"]["limits"] == {"cpu": "2", "memory": "4Gi"}
    assert "give it 2.5 GiB or\nmore; the manifests here allow 4." in (ROOT / "docs/deploy.md").read_text(
        encoding="utf-8"
    )
    assert 50 <= SPEC["containerConcurrency"] <= 1000 and SPEC["timeoutSeconds"] <= 3600
    assert ANNOTATIONS["run.googleapis.com/sessionAffinity"] == "true"
    assert {each["name"]: each["value"] for each in CONTAINER["env"]} == {"FACEWHY_TRUSTED_PROXIES": "1"}
    assert max(settings.MAX_BODY, photo.MAX_BYTES) <= 32 * 2**20, "Cloud Run takes no larger request"


def test_the_image_has_the_version_of_the_others():
    overlay = yaml.safe_load((ROOT / "deploy/kubernetes/kustomization.yaml").read_text())
    assert CONTAINER["image"] == f"facewhy:{overlay['images'][0]['newTag']}"
    assert re.fullmatch(r"facewhy:[\d.]+", CONTAINER["image"]) and json.dumps(SERVICE)
