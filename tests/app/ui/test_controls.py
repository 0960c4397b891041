import gradio as gr
import pytest

from app.ui import controls
from explain.base import Control
from explain.registry import METHODS


@pytest.mark.parametrize("name", METHODS)
def test_every_parameter_has_a_control_with_its_default(name):
    method = METHODS[name]
    built = controls.build(method)
    assert [component.value for component in built] == list(method.Params().to_json().values())
    assert [component.label for component in built] == [control.title for control in method.Params.controls().values()]
    assert all(component.info and component.interactive for component in built)


def test_a_parameter_gets_the_control_of_its_kind():
    assert isinstance(controls.component(Control("t", "h", bool), True), gr.Checkbox)
    assert isinstance(controls.component(Control("t", "h", str, options=("a", "b")), "a"), gr.Radio)
    slider = controls.component(Control("t", "h", int, 16, 256, 16), 64)
    assert isinstance(slider, gr.Slider) and (slider.minimum, slider.maximum, slider.step) == (16, 256, 16)
    seed = controls.component(Control("t", "h", int, 0, 9999, 1), 0)
    assert isinstance(seed, gr.Number) and seed.precision == 0


def values_of_all() -> list:
    return [component.value for method in METHODS.values() for component in controls.build(method)]


@pytest.mark.parametrize("name", METHODS)
def test_the_values_of_a_method_are_found_among_those_of_all(name):
    assert controls.read(name, tuple(values_of_all())) == METHODS[name].Params().to_json()


def test_a_changed_control_changes_only_its_parameter():
    values = values_of_all()
    keys = [(name, key) for name, method in METHODS.items() for key in method.Params.controls()]
    values[keys.index(("shap_gradient", "samples"))] = 128.0
    read = controls.read("shap_gradient", tuple(values))
    assert read["samples"] == 128 and isinstance(read["samples"], int)
    assert controls.read("gradcam", tuple(values)) == METHODS["gradcam"].Params().to_json()
