"""Who runs this process: for the lock beside the ledger and for the owner note in the bucket."""

import getpass
import platform


def this_host() -> str:
    return platform.node() or "an unnamed machine"


def this_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name for this user id; ImportError: Windows without `pwd`
        return "someone"
