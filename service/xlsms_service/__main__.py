"""`python -m xlsms_service` is `xlsms`."""

import sys

from xlsms_service.cli import main

sys.exit(main())
