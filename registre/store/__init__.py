"""The stores: ports of the core over the gateway. Rows become domain objects here, and nowhere else."""
