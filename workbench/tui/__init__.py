"""The terminal program: reads the store, leaves commands for the worker, never imports torch."""
