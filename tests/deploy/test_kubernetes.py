"""The manifests against Kubernetes' own schemas, against each other, and against the image."""

import copy
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from app import VERSION
from tests.deploy import image

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.30", "1.37"
STEPS = image.instructions((ROOT / "deploy" / "Dockerfile").read_text())
FILES = sorted(path for path in FOLDER.rglob("*.yaml") if path.name != "kustomization.yaml")
KUBECTL = shutil.which("kubectl")


def manifest(path: str) -> dict:
    return yaml.safe_load((FOLDER / path).read_text())


DEPLOYMENT = manifest("deployment.yaml")
POD = DEPLOYMENT["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
LABELS = POD["metadata"]["labels"]


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_manifest_is_one_by_the_schema(path, version):
    assert kubernetes_validate.validate(yaml.safe_load(path.read_text()), version, strict=True) == version


@pytest.mark.parametrize(
    ("path", "place", "value"),
    [
        ("deployment.yaml", ("spec", "template", "spec", "containers", 0, "image"), 5),
        ("deployment.yaml", ("spec", "template", "spec", "containers", 0, "readinessProb"), {}),
        ("deployment.yaml", ("spec", "template", "spec", "securityContext", "runAsNonRoot"), "yes"),
        ("deployment.yaml", ("spec", "selector"), None),
        ("service.yaml", ("spec", "ports", 0, "port"), "eighty"),
        ("autoscaler.yaml", ("spec", "maxReplicas"), None),
        ("network-policy.yaml", ("spec", "egress", 0, "port"), 53),
    ],
)
def test_a_wrong_manifest_is_refused(path, place, value):
    wrong = copy.deepcopy(manifest(path))
    inner = wrong
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    if value is None:
        del inner[place[-1]]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, NEWEST, strict=True)


def test_every_selector_finds_the_pods_and_every_object_has_the_label():
    selectors = [
        DEPLOYMENT["spec"]["selector"]["matchLabels"],
        manifest("service.yaml")["spec"]["selector"],
        manifest("disruption-budget.yaml")["spec"]["selector"]["matchLabels"],
        manifest("network-policy.yaml")["spec"]["podSelector"]["matchLabels"],
        manifest("hub/network-policy.yaml")["spec"]["podSelector"]["matchLabels"],
        POD["spec"]["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    assert all(selector and selector.items() <= LABELS.items() for selector in selectors)
    assert all(yaml.safe_load(path.read_text())["metadata"]["labels"] == LABELS for path in FILES)


def test_ports_lead_from_the_service_to_the_image():
    (port,) = CONTAINER["ports"]
    (service,) = manifest("service.yaml")["spec"]["ports"]
    ((ingress,),) = [rule["ports"] for rule in manifest("network-policy.yaml")["spec"]["ingress"]]
    assert port["containerPort"] == ingress["port"] == int(image.last(STEPS, "EXPOSE").value)
    assert service["targetPort"] == port["name"]
    for probe, path in {"startup": "/health", "readiness": "/health?ready=true", "liveness": "/health"}.items():
        assert CONTAINER[f"{probe}Probe"]["httpGet"] == {"path": path, "port": port["name"]}


def test_the_autoscaler_scales_this_deployment_which_names_no_number_itself():
    spec = manifest("autoscaler.yaml")["spec"]
    target = spec["scaleTargetRef"]
    assert (target["apiVersion"], target["kind"], target["name"]) == (
        DEPLOYMENT["apiVersion"],
        DEPLOYMENT["kind"],
        DEPLOYMENT["metadata"]["name"],
    )
    assert "replicas" not in DEPLOYMENT["spec"] and spec["minReplicas"] > 1
    assert CONTAINER["resources"]["requests"]["cpu"], "a share of the CPU needs a request"
    assert manifest("disruption-budget.yaml")["spec"]["maxUnavailable"] < spec["minReplicas"]


def test_a_visitor_stays_with_one_pod():
    assert manifest("service.yaml")["spec"]["sessionAffinity"] == "ClientIP"


def test_the_pod_may_do_nothing_that_it_does_not_need():
    pod, own = POD["spec"]["securityContext"], CONTAINER["securityContext"]
    user, group = map(int, image.last(STEPS, "USER").value.split(":"))
    assert (pod["runAsUser"], pod["runAsGroup"]) == (user, group) and pod["runAsNonRoot"] is True
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert own["readOnlyRootFilesystem"] is True and own["allowPrivilegeEscalation"] is False
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert POD["spec"]["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(POD["spec"])


def test_the_only_folder_to_write_to_is_the_images_tmp_in_memory():
    (mount,), (volume,) = CONTAINER["volumeMounts"], POD["spec"]["volumes"]
    variables = image.environment(STEPS)
    assert mount["mountPath"] == variables["HOME"] == "/tmp" and mount["name"] == volume["name"]
    assert volume["emptyDir"]["medium"] == "Memory"


def test_out_of_the_pods_go_names_only_and_with_the_component_https():
    policy = manifest("network-policy.yaml")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert {port["port"] for rule in policy["egress"] for port in rule["ports"]} == {53}
    hub = manifest("hub/network-policy.yaml")["spec"]
    assert {port["port"] for rule in hub["egress"] for port in rule["ports"]} == {443} and "ingress" not in hub


def test_the_kustomization_lists_every_manifest_and_the_image():
    listed = manifest("kustomization.yaml")
    assert {path.name for path in FILES if path.parent == FOLDER} == set(listed["resources"])
    (chosen,) = listed["images"]
    assert chosen["name"] == CONTAINER["image"] and str(chosen["newTag"]) != "latest"
    built = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())["services"]["page"]["image"]
    assert f"{chosen['newName']}:{chosen['newTag']}" == built
    references = {one[kind]["name"] for one in CONTAINER["envFrom"] for kind in one}
    assert references == {listed["configMapGenerator"][0]["name"]}


@pytest.mark.skipif(KUBECTL is None, reason="kubectl is not installed")
@pytest.mark.parametrize("hub", [False, True])
def test_kustomize_puts_it_together(tmp_path, hub):
    folder = tmp_path / "kubernetes"
    shutil.copytree(FOLDER, folder)
    file = folder / "kustomization.yaml"
    assert "\n# components: [hub]\n" in file.read_text()
    if hub:
        file.write_text(file.read_text().replace("# components:", "components:"))
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=True)
    built = {(one["kind"], one["metadata"]["name"].split("-")[0]): one for one in yaml.safe_load_all(done.stdout)}
    for one in yaml.safe_load_all(done.stdout):
        assert kubernetes_validate.validate(one, NEWEST, strict=True) == NEWEST
    (container,) = built["Deployment", "facewhy"]["spec"]["template"]["spec"]["containers"]
    settings = built["ConfigMap", "facewhy"]
    assert container["image"] == f"facewhy:{VERSION}"
    assert container["envFrom"][0]["configMapRef"]["name"] == settings["metadata"]["name"] != "facewhy"
    assert ("FACEWHY_HUB_REPO" in settings["data"]) is hub
    assert done.stdout.count("kind: NetworkPolicy") == 1 + hub
