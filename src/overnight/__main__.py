"""`python -m overnight`."""

import sys

from overnight.cli.main import main

sys.exit(main())
