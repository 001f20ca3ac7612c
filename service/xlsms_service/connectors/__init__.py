"""Ways out and in: one module a kind, behind the seam in `base`."""
