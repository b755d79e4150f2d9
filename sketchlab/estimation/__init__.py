"""From jets along random directions to predictions with bands; imports nothing of training."""
