"""Trainings that other programs did, as past runs: Hugging Face's Trainer, and TensorBoard's logs."""
