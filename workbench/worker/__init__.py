"""One run as a detached process: starting it, stopping it, writing down what it tells, noticing its death."""
