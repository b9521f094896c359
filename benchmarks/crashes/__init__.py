"""The worker killed at every point of a job's life, on the twin, and the law of money checked after each run."""
