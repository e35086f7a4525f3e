"""What Try asks, without a browser: marked with the step that lies there, whatever that is."""

import pytest

from chainrule.marking import check
from chainrule.page import trying
from chainrule.page.desk import laid
from recorded_runs import trained


def right(desk):
    """An answer to every number that is asked for, as it is shown, marked."""
    answers = {step["id"]: step["shown"] for step in desk.view()["steps"] if step["phase"] != "given"}
    found = trying.check(desk, {"answers": answers})
    return found["right"] == len(answers)


def test_a_step_far_along_is_marked_without_training_to_it_once_more(monkeypatch):
    desk = laid("mazur")
    desk.look(after=300)
    monkeypatch.setattr(check, "derive", lambda *args, **options: pytest.fail("it was derived again"))
    assert right(desk)


def test_an_update_of_a_recorded_run_is_marked_too(tmp_path, monkeypatch):
    trained(monkeypatch, tmp_path / "run", hidden=(3,), epochs=2, batch_size=40)
    desk = laid(str(tmp_path / "run"))
    desk.look(after=3)
    assert right(desk)
