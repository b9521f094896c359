"""The twin: a stand-in for the registry's site, with its pages, its manners and a billing ledger of its own.

Invariant: nothing here is imported by the product's own path to the real site, and the twin listens on loopback only.
"""
