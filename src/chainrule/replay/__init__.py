"""A recorded run, looked into: updates done again, their numbers derived, predictions derived from the cells of a table."""

from chainrule.replay.again import Agreement, RecordedRun, Replay, open_run, replay

__all__ = ["Agreement", "RecordedRun", "Replay", "open_run", "replay"]
