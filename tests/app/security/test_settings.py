"""What the variables of the environment set, and what is said of a wrong value."""

import pytest

from app.security.settings import Settings
from models import photo
from models.errors import ParameterError


def test_the_settings_are_safe_unless_set():
    settings = Settings.from_env({})
    assert settings == Settings(hosts=("localhost", ".localhost", "127.0.0.1", "::1"))
    assert settings.origins == () and settings.frame_ancestors == ("'self'",) and settings.trusted_proxies == 0
    assert str(settings.rates[0]) == "600 per 1 minute"
    assert settings.max_body > photo.MAX_BYTES * 4 / 3


def test_a_space_may_be_shown_where_spaces_are_and_has_one_proxy():
    settings = Settings.from_env({"SPACE_ID": "someone/facewhy"})
    assert settings.frame_ancestors == ("'self'", "https://huggingface.co")
    assert settings.trusted_proxies == 1


def test_every_variable_is_read():
    settings = Settings.from_env(
        {
            "FACEWHY_RATE": "5/second;100/hour",
            "FACEWHY_TRUSTED_PROXIES": "2",
            "FACEWHY_ORIGINS": "https://School.example, http://localhost:3000",
            "FACEWHY_FRAME_ANCESTORS": "self https://*.school.example",
            "FACEWHY_USER": "ann",
            "FACEWHY_PASSWORD": "a:b c",
            "FACEWHY_HOSTS": "Face.example .school.example [2001:db8::1]",
            "FACEWHY_METRICS": "10.1.2.3/8",
        }
    )
    assert settings.hosts == ("face.example", ".school.example", "2001:db8::1")
    assert [str(network) for network in settings.metrics] == ["10.0.0.0/8"]
    assert [str(rate) for rate in settings.rates] == ["5 per 1 second", "100 per 1 hour"]
    assert settings.trusted_proxies == 2
    assert settings.origins == ("https://school.example", "http://localhost:3000")
    assert settings.frame_ancestors == ("'self'", "https://*.school.example")
    assert (settings.user, settings.password) == ("ann", "a:b c")
    assert Settings.from_env({"FACEWHY_RATE": "off"}).rates == ()


@pytest.mark.parametrize(
    "name, value",
    [
        *(("FACEWHY_RATE", value) for value in ("fast", "0/minute", "-1/minute", "5", "5/fortnight")),
        *(("FACEWHY_TRUSTED_PROXIES", value) for value in ("-1", "one", "1.5", "99", "²")),
        *(("FACEWHY_ORIGINS", value) for value in ("*", "school.example", "https://a.example/page", "file://", "null")),
        *(("FACEWHY_FRAME_ANCESTORS", value) for value in ("a.example; script-src *", "javascript:", "https://")),
        *(("FACEWHY_HOSTS", value) for value in ("https://face.example", "face.example:80", "*", "a/b", "..")),
        *(("FACEWHY_METRICS", value) for value in ("10.0.0.0/99", "home", "*")),
        ("FACEWHY_USER", "ann"),
        ("FACEWHY_PASSWORD", "secret"),
    ],
)
def test_a_wrong_value_says_which_variable_and_what_to_do(name, value):
    with pytest.raises(ParameterError, match=name) as caught:
        Settings.from_env({name: value})
    assert caught.value.advice
    assert "secret" not in str(caught.value)


def test_a_name_with_a_colon_cannot_be_sent_and_is_refused():
    with pytest.raises(ParameterError, match="FACEWHY_USER was refused. Received: a name with a colon"):
        Settings.from_env({"FACEWHY_USER": "a:b", "FACEWHY_PASSWORD": "c"})


@pytest.mark.parametrize(
    "environ, hosts",
    [
        ({}, True),
        ({"GRADIO_SERVER_NAME": "0.0.0.0"}, False),
        ({"FACEWHY_TRUSTED_PROXIES": "1"}, False),
        ({"SPACE_ID": "a/b"}, False),
        ({"GRADIO_SERVER_NAME": "0.0.0.0", "FACEWHY_HOSTS": "face.example"}, True),
    ],
)
def test_a_server_of_this_machine_alone_is_asked_for_by_its_own_names(environ, hosts):
    assert bool(Settings.from_env(environ).hosts) == hosts
