"""Orders that come as files, and what goes back as files: an order file in, its rejects and a batch's ZIP out.

Invariant: nothing is guessed. A cell that may not say what its author meant becomes a verdict, never an order; and what is
written for Excel holds no cell that Excel would compute.
"""
