"""Our queue beside procrastinate and pgqueuer, on one PostgreSQL, in one run."""
