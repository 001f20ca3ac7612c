"""What a sheet means: column roles, row identity, reading, and writing back without touching anything else."""
