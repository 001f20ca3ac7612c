"""`python -m xlsms_service` is `xlsms`."""

from xlsms_service.cli import main

main()
