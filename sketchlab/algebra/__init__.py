"""The ring: jets, functions and gradients over numbers and jets, scalar circuits."""
