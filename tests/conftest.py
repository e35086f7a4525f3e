"""What several test files use is in files of its own; the fixtures among it are named here."""

pytest_plugins = ["browser", "page_serving"]
