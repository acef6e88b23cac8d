"""What is raised where a training is left because a stop was asked for."""


class Interrupted(Exception):
    """A phase was left before its end; nothing of it is kept."""
