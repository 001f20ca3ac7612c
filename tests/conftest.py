"""What holds for every test."""

from hypothesis import settings

# How long one example takes says more about what else the computer does than about us.
settings.register_profile("xlsms", deadline=None)
settings.load_profile("xlsms")
