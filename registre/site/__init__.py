"""The registry's site through real browsers: the adapter of the ports `Registry` and `RegistrySession`."""
