"""For every test."""

import signal

# A shell that starts us in the background has SIGINT ignored, and so would every child of ours: tests that press Ctrl-C
# would wait for ever. With a handler here, children begin with the system's default again.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
