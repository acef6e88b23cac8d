"""What a recipe's text looks like masked, before anything is trained."""
