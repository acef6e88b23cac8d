"""Fill masks: a model's best guesses for the missing words of a sentence."""
