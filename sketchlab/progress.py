"""Progress bars: shown for work of more than two seconds, silent when asked to be."""

import os

from tqdm.auto import tqdm


def quiet(progress):
    """Whether there is to be no bar: progress=False, or the variable TQDM_DISABLE is set."""
    return not progress or bool(os.environ.get("TQDM_DISABLE"))


class NoBar:
    """What takes the place of a bar.

    Even a bar of tqdm that is not shown holds a semaphore of the system, which a process that is
    stopped leaves behind.
    """

    def update(self, count=1):
        """Nothing."""

    def close(self):
        """Nothing."""


class progress_bar:
    """A progress bar for work of more than two seconds, or the bar of the caller.

    progress: True, False, or an object with an `update` method, such as the caller's own bar.
    """

    def __init__(self, total, progress, unit="step"):
        self.owned, self.bar = isinstance(progress, bool), progress
        if self.owned:
            shown = {"delay": 2, "unit": unit, "leave": False}
            self.bar = NoBar() if quiet(progress) else tqdm(total=total, **shown)

    def __enter__(self):
        return self.bar

    def __exit__(self, *_):
        if self.owned:
            self.bar.close()
