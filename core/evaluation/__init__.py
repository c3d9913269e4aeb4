"""Models against gold labels: every figure with its kind, kept with what it was measured on."""
