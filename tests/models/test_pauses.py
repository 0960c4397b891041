"""Where long computations pause, and where not."""

import asyncio

import numpy as np
import pytest
from anyio import to_thread

from explain.methods import gradients, numpy_random
from models import model as networks
from models import pauses, zoo


def test_a_pause_is_called_where_it_was_asked_for_and_nowhere_else():
    called = []
    pauses.here()
    with pauses.waiting_for(lambda: called.append("outer")):
        pauses.here()
        with pauses.waiting_for(None):
            pauses.here()
        with pytest.raises(ValueError), pauses.waiting_for(lambda: called.append("inner")):
            pauses.here()
            raise ValueError
        pauses.here()
    pauses.here()
    assert called == ["outer", "inner", "outer"]


def test_it_goes_along_into_a_thread():
    called = []

    async def compute():
        with pauses.waiting_for(lambda: called.append(1)):
            await to_thread.run_sync(pauses.here)
        await to_thread.run_sync(pauses.here)

    asyncio.run(compute())
    assert called == [1]


def test_a_network_pauses_before_each_batch_and_not_under_a_lock(monkeypatch):
    monkeypatch.setattr(networks, "CHUNK", 2)
    monkeypatch.setattr(gradients, "CHUNK", 3)
    model, crops, called = zoo.load("cnn"), np.zeros((5, 48, 48), np.float32), []
    with pauses.waiting_for(lambda: called.append(1)):
        model.logits(crops)
        assert len(called) == 3
        gradients.input_gradients(model)(crops, np.ones(7, np.float32))
        assert len(called) == 3 + 2
        with numpy_random.seeded(0):
            model.logits(crops)
    assert len(called) == 5
