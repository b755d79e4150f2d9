"""Parts that all widgets share: a picture with its description, a message, a box of controls."""

import contextlib
import html
import threading

import ipywidgets

from .. import canvas

FULL = {"width": "98%"}
CANCELLED = "cancelled: nothing was kept, press Retrain to start again"
BUSY = "⏳"
PATIENCE = 0.15  # seconds, after which it is said that something is computed
NARROW = {"description_width": "7em"}
AS_TYPED = (  # people's words keep their spaces, and long ones their place
    "white-space: pre-wrap; overflow-wrap: anywhere; max-height: 6em; overflow-y: auto"
)


class Picture(ipywidgets.HTML):
    """A figure, sharp at any size. words: what it shows, for those who cannot see it."""

    def __init__(self, widest=None):
        """widest: its largest width in CSS pixels; default: all that there is."""
        super().__init__()
        self.words = ""
        self.layout.width, self.layout.margin = "100%", "0"
        self.layout.max_width = "100%" if widest is None else f"{widest}px"
        self.add_class("sketchlab-picture")

    def show(self, figure, words=None):
        """Show a matplotlib figure; words: what it says, default: what its axes show."""
        canvas.make_legible(figure)
        self.words = canvas.description(figure) if words is None else words
        self.value = canvas.as_svg(figure, self.words, salt=self.model_id)
        self.layout.display = None

    def hide(self):
        """Take the picture away, because it no longer shows what is asked."""
        self.layout.display = "none"


class Message(ipywidgets.HTML):
    """What went wrong, in words; read aloud by screen readers. It takes no room while empty."""

    def __init__(self):
        super().__init__()
        self.add_class("sketchlab-message")
        self.say(None)

    @contextlib.contextmanager
    def while_slow(self):
        """Say so if what is done inside takes longer than PATIENCE; it then clears what it said."""
        done, lock = threading.Event(), threading.Lock()

        def waiting():
            with lock:
                if not done.is_set():
                    self.say("computing; what is shown is that of before …", sign=BUSY)

        timer = threading.Timer(PATIENCE, waiting)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            with lock:
                done.set()
            timer.cancel()

    def say(self, error, rest="", sign="⚠"):
        """Show an error, or some text, and the rest after it; None clears the message."""
        if isinstance(error, Exception) and not (isinstance(error, ValueError) and str(error)):
            error = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        text = "" if error is None else html.escape(f"{error}{rest}")
        (self.add_class if sign == BUSY else self.remove_class)("sketchlab-busy")  # moves nothing
        style = f"line-height: 1.4; {AS_TYPED}"
        self.value = f'<div role="alert" style="{style}">{sign} {text}</div>' if text else ""
        self.layout.display = None if text else "none"


class Controls(ipywidgets.VBox):
    """A box of controls with a message below, which tells what goes wrong in one of them.

    `showing()` marks changes that come from the state, not from a person.
    """

    def __init__(self, children):
        self.message = Message()
        super().__init__([*children, self.message])
        self._showing = False

    @contextlib.contextmanager
    def showing(self):
        """While the state is shown, the controls do not act on it."""
        self._showing = True
        try:
            yield
        finally:
            self._showing = False

    @contextlib.contextmanager
    def telling(self):
        """Clear the message, and show in words what is raised inside, whatever it is."""
        self.message.say(None)
        try:
            yield
        except Exception as error:  # a widget must answer in words, whatever went wrong
            self.message.say(error)

    def on_change(self, control, react):
        """Call react(value) when a person changes the control, and tell what it raises."""

        def changed(change):
            if not self._showing:
                with self.telling():
                    react(change["new"])

        control.observe(changed, names="value")


def attempted(call):
    """What a call raises, or None: a widget must answer in words, whatever went wrong."""
    try:
        call()
    except Exception as error:
        return error
    return None


class Acting:
    """What a view does with a change of its state. It has `refresh`, `message` and a `_lock`."""

    def act(self, change):
        """Run a change of the state, show everything again, and say in words what went wrong."""
        with self._lock:
            with self.message.while_slow():
                problem = attempted(change)
                unseen = attempted(self.refresh)
            if unseen is not None:
                self.clear()
            self.message.say(unseen if problem is None else problem)

    def clear(self):
        """Take away what was shown before and does not belong to the state any more."""


class Cancelled(Exception):
    """Raised inside a training to stop it."""


class Retraining(Acting):
    """What a view does with a button `button`, one to `stop`, and a bar `progress`.

    The training is in a thread, so that the page goes on answering: of a snapshot of the state, as
    people may go on choosing meanwhile.
    """

    def training_controls(self, steps, noun):
        """Make the three, which are returned as a list. noun: what a document is called."""
        self._cancel, self.worker = threading.Event(), None
        self.button = ipywidgets.Button(
            description="Retrain",
            button_style="primary",
            tooltip=f"Train again without these {noun}s",
        )
        self.stop = ipywidgets.Button(description="Cancel", tooltip="Stop the training")
        self.progress = ipywidgets.IntProgress(0, 0, steps, tooltip="Training")
        self.button.on_click(lambda _: self.act(self._start))
        self.stop.on_click(lambda _: self._cancel.set())
        self.button.add_class("sketchlab-retrain")
        made = [self.button, self.stop, self.progress]
        for widget in made:
            widget.layout.width, widget.layout.min_width = "auto", "90px"
        self.progress.layout.max_width = "90px"
        self._running(False)
        return made

    def train(self, snapshot):
        """Train, and keep what was found."""
        snapshot.retrain(progress=self)

    def _start(self):
        if self.worker is not None and self.worker.is_alive():
            return
        snapshot = self.state.snapshot()
        self._cancel.clear()
        self._running(True)
        self.worker = threading.Thread(target=self._train, args=(snapshot,), daemon=True)
        self.worker.start()

    def _train(self, snapshot):
        def finish():
            self._running(False)
            if isinstance(problem, Cancelled):
                raise ValueError(CANCELLED)
            if problem is not None:
                raise problem

        problem = attempted(lambda: self.train(snapshot))
        self.act(finish)

    def update(self, steps=1):
        """One step of training was done; this is what `TrainingRun.retrain` calls its bar for."""
        if self._cancel.is_set():
            raise Cancelled
        self._steps += steps
        if self._steps % max(1, self.progress.max // 20) == 0:
            self.progress.value = self._steps

    def _running(self, running):
        self._steps = self.progress.value = 0
        for widget in (self.stop, self.progress):
            widget.layout.visibility = "visible" if running else "hidden"


def heading(text):
    """A heading above controls."""
    return ipywidgets.HTML(f"<b>{text}</b>")


def text_field(description, value):
    """A field to type in."""
    return ipywidgets.Text(value, description=description, style=NARROW, layout=FULL)


def in_bytes(size):
    """A number of bytes in words, in kB below one MB."""
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{max(size / 1e3, 0.1):.1f} kB"


def how_many(most, start):
    """A slider from 1 to `most`."""
    return ipywidgets.IntSlider(
        min(start, most), 1, most, description="how many", style=NARROW, layout=FULL
    )


def button(label, action, act, tooltip=""):
    """A button; act(action) is called when it is pressed."""
    made = ipywidgets.Button(
        description=label, tooltip=tooltip or label, layout={"width": "auto", "flex": "1 1 auto"}
    )
    made.on_click(lambda _: act(action))
    return made
