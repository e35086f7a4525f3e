"""A recorded run, looked into: updates done again, their numbers derived, and what moved a weight."""

from chainrule.replay.again import Agreement, RecordedRun, Replay, Update, open_run, replay

__all__ = ["Agreement", "RecordedRun", "Replay", "Update", "open_run", "replay"]
