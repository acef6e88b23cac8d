"""Fills masks: a model's best guesses for missing words, and the surprisal of each token of a text."""
