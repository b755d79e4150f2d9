"""From jets along random directions to predictions with bands; knows nothing of training."""
