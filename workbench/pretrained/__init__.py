"""Pretrained models and tokenizers: finding their files and loading them safely."""
