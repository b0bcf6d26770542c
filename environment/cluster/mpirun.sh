#!/usr/bin/env bash
# Trains one run in several processes on this machine, or on those of a host file, under Open MPI's mpirun:
#   environment/cluster/mpirun.sh PROCESSES RUN.json [options of `paperlab train`]
#
# PAPERLAB_MPI_OPTIONS   more options for mpirun, for example "--hostfile hosts" or, for more processes than cores, "--oversubscribe"
# OMP_NUM_THREADS        threads of each process; by default the machine's cores divided by its processes
set -euo pipefail
if [ $# -lt 2 ]; then
    sed -n '2,3s/^# //p' "$0" >&2
    exit 2
fi
processes=$1
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
read -ra options <<< "${PAPERLAB_MPI_OPTIONS:-}"
for name in OMP_NUM_THREADS PAPERLAB_CACHE PAPERLAB_LIBTORCH; do
    if [ -n "${!name:-}" ]; then
        options+=(-x "$name") # to other machines too
    fi
done
# Unbound, for mpirun would bind each process to one core, whatever its threads.
exec mpirun -n "$processes" --bind-to none "${options[@]}" "$root/lib/out/paperlab" train "$@"
