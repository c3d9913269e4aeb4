"""Train: what to train on, how it goes, what came of it."""
