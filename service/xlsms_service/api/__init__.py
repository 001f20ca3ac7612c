"""The REST face of the service: `/v1`, for the add-in, the command line and programs of others."""
