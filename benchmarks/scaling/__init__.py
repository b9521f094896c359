"""How the cost of a host grows with the number of hosts: real fleets and a real PostgreSQL, a simulated site."""
