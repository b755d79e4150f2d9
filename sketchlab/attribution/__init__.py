"""Attribution: what each training document did to an output, method by method.

`first_order`: the exact derivative by every down-weight, by reverse mode through training.
"""

from .first_order import FirstOrder, first_order

__all__ = ["FirstOrder", "first_order"]
