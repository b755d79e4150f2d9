"""Training as an arithmetic circuit in the down-weights of its data; models, data and outputs."""
