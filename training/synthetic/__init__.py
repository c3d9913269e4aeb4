"""Synthetic notes whose relations are written in the text: lexicon, ways of saying, notes, audit."""
