"""`python -I -m xlsms.addin VERB`: what the add-in starts at a click."""

import os
import sys

from xlsms.addin.run import run

if __name__ == "__main__":
    sys.exit(run(sys.argv[1:], os.environ))
