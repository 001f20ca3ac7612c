"""The durable store: schema, transactions by theme, the writer thread and the migrations."""
