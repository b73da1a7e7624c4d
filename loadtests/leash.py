"""Runs a command that must not outlive its parent: `leash.py PARENT SIGNAL USER COMMAND...`.

Becomes USER (empty: stays who it is), asks the kernel (Linux) for SIGNAL when the parent dies,
however it dies, then becomes the command. A script of its own because code between fork and exec is
unsafe in a parent with threads.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Become the command."""
    parent, signal_number, user, *command = arguments
    if user:
        account = pwd.getpwnam(user)
        os.initgroups(user, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    # After the change of user, which makes the kernel forget it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number))
        if os.getppid() != int(parent):
            sys.exit(1)  # the parent died before the kernel was asked
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
