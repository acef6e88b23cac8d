"""Imports runs of other programs: Hugging Face's Trainer, and TensorBoard's logs."""
