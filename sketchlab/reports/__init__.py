"""Reports: what became of one request to delete documents, for people who must answer for it; and a
page to play with, for people without Python.

`report` computes a `Report`: numbers, from which its page is made, and the models they are of.
`playground` computes a `Playground`: a grid of deletions and outputs, predicted and retrained, and
its page. `read` takes the numbers back out of a saved page.
"""

from .making import Report, report
from .page import read
from .playing import Playground, playground

__all__ = ["Playground", "Report", "playground", "read", "report"]
