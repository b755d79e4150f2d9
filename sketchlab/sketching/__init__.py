"""Sketches of training runs: made, kept in a folder, opened again, anchored."""
