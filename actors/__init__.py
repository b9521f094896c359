"""The fleet: pykka actors that keep sessions at work, and the dramatiq tasks that deliver."""
