"""Options: environment, process, thread."""

from __future__ import annotations

import threading

import pytest

from janus_mlir import log
from janus_mlir.config import Config


def test_defaults_and_environment() -> None:
    assert Config({}).warmup == 3
    config = Config(
        {"JANUS_WARMUP": "1", "JANUS_LOG": "guards, compile", "JANUS_DISABLE": "1", "JANUS_STRESS": "deopt"}
    )
    assert config.warmup == 1
    assert config.log == {"guards", "compile"}
    assert config.disable is True
    assert config.stress == "deopt"


@pytest.mark.parametrize(
    "environment",
    [{"JANUS_WARMUP": "many"}, {"JANUS_WARMUP": "-1"}, {"JANUS_LOG": "gards"}, {"JANUS_STRESS": "all"}],
)
def test_bad_environment_names_the_variable(environment: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(environment))):
        Config(environment)


def test_update_and_with() -> None:
    config = Config({})
    config.update(warmup=5)
    with config(warmup=1, log="deopts"):
        assert config.warmup == 1
        assert config.log == {"deopts"}
        with config(max_versions=2):
            assert (config.warmup, config.max_versions) == (1, 2)
        assert config.max_versions == 8
    assert config.warmup == 5
    config.unroll_limit = 7
    assert config.options().unroll_limit == 7


def test_with_is_of_one_thread() -> None:
    config = Config({})
    seen = []
    with config(warmup=0):
        thread = threading.Thread(target=lambda: seen.append(config.warmup))
        thread.start()
        thread.join()
    assert seen == [3]


def test_unknown_option() -> None:
    config = Config({})
    with pytest.raises(AttributeError, match="warmup"):
        config.warm_up  # noqa: B018
    with pytest.raises(AttributeError, match="warm_up"):
        config.update(warm_up=1)
    with pytest.raises(ValueError, match="max_versions"):
        config.update(max_versions=0)


def test_log(capsys: pytest.CaptureFixture[str]) -> None:
    from janus_mlir.config import config

    with config(log="compile"):
        assert log.enabled("compile")
        assert not log.enabled("guards")
        log.emit("compile", "f: 1 ms")
        log.emit("guards", "unheard")
    assert capsys.readouterr().err == "[janus compile] f: 1 ms\n"
