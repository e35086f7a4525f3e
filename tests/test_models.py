"""Models: what a network's numbers mean, kept with it."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import models
from made_files import network, penguins, prepared_model


def test_a_loaded_model_prepares_and_answers_as_the_saved_one(tmp_path):
    found = cr.load_model(prepared_model(tmp_path / "m"))
    again = cr.load_model(prepared_model(tmp_path / "n"))
    assert found.preparation == again.preparation
    assert found.goal.classes == ("Adelie", "Chinstrap", "Gentoo")
    given = penguins()
    outputs = found.outputs(given)
    assert outputs.shape == (30, 3)
    assert outputs.tobytes() == found.network.predict(found.preparation.matrix(given)).tobytes()
    assert np.allclose(outputs.sum(1), 1, atol=1e-15)  # three roundings
    assert set(found.goal.labels(outputs)) <= set(found.goal.classes)
    assert found.about["title"] == "Penguins"
    found.save(tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()


def test_large_tables_go_through_in_blocks(monkeypatch):
    model = models.Model(network())
    x = np.random.default_rng(0).normal(size=(1000, 2))
    whole = model.outputs(x)
    monkeypatch.setattr(models, "BLOCK", 300)
    assert model.outputs(x) == pytest.approx(whole, abs=1e-15)  # a matrix product may round otherwise by its number of rows
    assert model.outputs(x, [5, 3, 5]) == pytest.approx(whole[[5, 3, 5]], abs=1e-15)
    assert model.outputs(x, []).shape == (0, 2)


def test_parts_that_do_not_fit_are_refused(tmp_path):
    good = cr.load_model(prepared_model(tmp_path / "m"))
    with pytest.raises(cr.InputError, match=r"the network has 2 inputs - got .* from the preparation"):
        models.Model(network(), good.preparation)
    with pytest.raises(cr.InputError, match="the network has 2 outputs - got 3 for the goal"):
        models.Model(network(), None, good.goal)
    with pytest.raises(TypeError, match="plain data"):
        models.Model(network(), about={"x": np.zeros(3)}).save(tmp_path / "n")


def test_more_can_be_said_about_a_model(tmp_path):
    model = models.Model(network(), about={"a": 1, "b": 2}).saying(b=3, c=float("inf"))
    model.save(tmp_path / "m")
    found = cr.load_model(tmp_path / "m").about
    assert {key: found[key] for key in "abc"} == {"a": 1, "b": 3, "c": float("inf")}
