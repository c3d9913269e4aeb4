"""Synthetic notes whose relations are written in the text. Here so far: the lexicon."""
