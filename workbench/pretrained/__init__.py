"""Models and tokenizers that someone trained before: where they lie and how they are loaded safely."""
