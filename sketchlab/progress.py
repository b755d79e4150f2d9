"""Progress bars: shown for work of more than two seconds, silent when asked to be."""

import os

from tqdm.auto import tqdm


def quiet(progress):
    """Settings of tqdm: no bar for progress=False, nor if the variable TQDM_DISABLE is set."""
    return {"disable": not progress or bool(os.environ.get("TQDM_DISABLE"))}


class progress_bar:
    """A progress bar for work of more than two seconds, or the bar of the caller.

    progress: True, False, or an object with an `update` method, such as the caller's own bar.
    """

    def __init__(self, total, progress, unit="step"):
        self.owned = isinstance(progress, bool)
        self.bar = (
            tqdm(total=total, delay=2, unit=unit, leave=False, **quiet(progress))
            if self.owned
            else progress
        )

    def __enter__(self):
        return self.bar

    def __exit__(self, *_):
        if self.owned:
            self.bar.close()
