"""`python -m bench.child module:function '{"argument": …}'`: one variant in its own process; prints its numbers."""

import json
import os
import sys

from bench.measure import call

if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(5)
    print(json.dumps(call(sys.argv[1], json.loads(sys.argv[2]))))
