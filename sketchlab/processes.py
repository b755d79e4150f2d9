"""Calls in other processes, as joblib makes them, that end with the call that asked for them.

Ctrl-C goes to every process of a terminal, and Jupyter's interrupt to every process of a kernel.
Here it stops one, the one that asked: the others have the signal blocked, from their start on, and
are stopped by that one, whatever the reason, before the error goes further up.
"""

import contextlib
import signal
import threading
import time
import warnings
from multiprocessing import resource_tracker

import joblib
from threadpoolctl import threadpool_limits

SETTLED = 0.1  # seconds for joblib to take up what it was given: before, it cannot end in silence


def workers(jobs):
    """How many processes there will be.

    jobs: as joblib counts them; 1 or None: as its configuration says, one if there is none.
    """
    return joblib.effective_n_jobs(_asked(jobs))


@contextlib.contextmanager
def in_processes(function, arguments, jobs, *, in_order=True):
    """In a `with`, the results of function(*each) for each of the arguments, as an iterator.

    Each call has one thread for linear algebra. What is still under way at the end is stopped.
    """
    order = "generator" if in_order else "generator_unordered"
    parallel = joblib.Parallel(n_jobs=_asked(jobs), return_as=order)
    results = None
    try:
        with _unseen_by_others() if workers(jobs) > 1 else contextlib.nullcontext():
            results = parallel(joblib.delayed(alone)(function, *each) for each in arguments)
        yield results
    except BaseException:
        with interrupts_wait():
            time.sleep(SETTLED)
            _close(results)
        raise
    finally:
        _close(results)


def _close(results):
    if results is not None:
        with warnings.catch_warnings():  # joblib says what is left over; the caller knows
            warnings.simplefilter("ignore")
            results.close()


def alone(function, *arguments, **settings):
    """The result of a function that has one thread for linear algebra."""
    with threadpool_limits(1):
        return function(*arguments, **settings)


def _asked(jobs):
    return None if jobs == 1 else jobs  # None: as joblib.parallel_config says, or 1


@contextlib.contextmanager
def interrupts_wait():
    """An interrupt comes after this, not in the middle of it."""
    came, usual = [], signal.getsignal(signal.SIGINT)
    # Python interrupts its main thread only; a handler that is none of Python's stays.
    if threading.current_thread() is not threading.main_thread() or not callable(usual):
        yield
        return
    signal.signal(signal.SIGINT, lambda *what: came.append(what))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
        if came:
            usual(*came[0])


@contextlib.contextmanager
def _unseen_by_others():
    """The same; and processes that are started meanwhile never see an interrupt."""
    with interrupts_wait(), contextlib.ExitStack() as stack:
        if hasattr(signal, "pthread_sigmask"):  # not on Windows
            resource_tracker.ensure_running()  # whose start would let interrupts come again
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            stack.callback(signal.pthread_sigmask, signal.SIG_SETMASK, before)
        yield
