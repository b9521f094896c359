"""The whole product under fire: every program and every line between them fails, in an order that a seed picks."""
