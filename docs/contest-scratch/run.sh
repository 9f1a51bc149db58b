#!/bin/bash
# run.sh NAME 'RUNTIME' filters: in namespaces of its own
NAME=$1; shift; R=$1; shift
exec unshare --mount --uts --net --ipc bash -c 'mount --make-rprivate /; mount --make-rshared /; hostname chtest; ip link set lo up; mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns; mount -t tmpfs none /run/netns; }; exec python3 /tmp/ch/ch.py "$@"' x "$NAME" "$R" "$@"
