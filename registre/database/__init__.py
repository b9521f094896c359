"""PostgreSQL: the only truth. The gateway calls SQL functions by name; nothing else of registre speaks SQL."""
