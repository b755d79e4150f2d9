"""Settings for nbval: what a notebook writes to stderr is not compared with the stored output."""


def pytest_collectstart(collector):
    """Extend the list of outputs that nbval skips (only its own collectors have one)."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)
