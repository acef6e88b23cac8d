"""Previews of a recipe's masked text before training, from a warm process."""
