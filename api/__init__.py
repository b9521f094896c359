"""The HTTP API: what clerks, programs and the dashboard ask of registre. It sees ports, never adapters, and no actor."""
