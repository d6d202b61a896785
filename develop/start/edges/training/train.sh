#!/bin/sh
# Makes the scenes, trains on them and writes ../edges.safetensors: train.sh FOLDER. Goes on where it was interrupted.
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
export OMP_NUM_THREADS=1
for seed in $(seq 100 131); do
  target="$1/scenes-$seed.npz"
  [ -f "$target" ] || { python3 "$here/scenes.py" "$seed" 200 "$1/part.npz" && mv "$1/part.npz" "$target"; }
done
python3 "$here/train.py" "$1"
python3 "$here/export.py" "$1"
