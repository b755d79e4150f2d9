"""The ring: jets, functions and gradients over numbers and jets, scalar circuits.

From the ground up: `jet` (the number), `arithmetic` (its ring operations), `recording` (functions
that autograd records), `elementary` (the table of functions and derivatives), `shapes` and `sums`
(arrays), `gradient`, `ring` (all functions under one name), `circuits` and `diagrams`.
"""
