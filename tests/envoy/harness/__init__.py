"""A real Envoy between scripted peers: what the tests of this folder stand on. Knows nothing of what bodyguard should do."""
