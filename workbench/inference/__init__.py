"""Fill masks: a model's best guesses for the missing words of a sentence, and what surprises it in one."""
