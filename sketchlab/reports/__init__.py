"""Reports: what became of one request to delete documents, for people who must answer for it.

`report` computes a `Report`: numbers, from which its page is made, and the models they are of.
`read` takes the numbers back out of a saved page.
"""

from .making import Report, report
from .page import read

__all__ = ["Report", "read", "report"]
