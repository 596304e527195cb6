#!/usr/bin/env bash
# Makes the disks that the benchmark `images` reads: 200,000 files on NTFS and on ext4, each in a
# disk of 100 GiB, under the folder given (default target/bench-images). Needs root, loop devices,
# FUSE, ntfs-3g, e2fsprogs, gdisk and qemu-utils; some 10 GB of space.
set -euo pipefail
cd "$(dirname "$0")/../.."
out="${1:-target/bench-images}"
files="${FILES:-200000}"
mkdir -p "$out"
out="$(cd "$out" && pwd)"
here="$PWD/benches/images"

# First sector and size in sectors of the one partition with files.
start=239616
sectors=$((100 * 1024 * 1024 * 2 - start - 2048))

disk() { # file, type
    rm -f "$1"
    truncate -s 100G "$1"
    sgdisk -n 1:2048:206847 -t 1:ef00 -n 2:206848:239615 -t 2:0c01 \
        -n "3:$start:$((start + sectors - 1))" -t "3:$2" "$1" >/dev/null
}

if [ ! -e "$out/ntfs.vhdx" ]; then
    disk "$out/ntfs.raw" 0700
    loop="$(losetup -f --show -o $((start * 512)) --sizelimit $((sectors * 512)) "$out/ntfs.raw")"
    mkntfs -Q -c 4096 -L Windows "$loop" >/dev/null
    mount="$(mktemp -d)"
    ntfs-3g "$loop" "$mount"
    python3 "$here/fill.py" "$mount" windows "$files"
    umount "$mount"
    rmdir "$mount"
    losetup -d "$loop"
    qemu-img convert -O vhdx -o subformat=dynamic "$out/ntfs.raw" "$out/ntfs.vhdx.part"
    mv "$out/ntfs.vhdx.part" "$out/ntfs.vhdx"
fi
if [ ! -e "$out/ext4.vhd" ]; then
    disk "$out/ext4.raw" 8300
    loop="$(losetup -f --show -o $((start * 512)) --sizelimit $((sectors * 512)) "$out/ext4.raw")"
    tree="$(mktemp -d -p "$out")"
    python3 "$here/fill.py" "$tree" linux "$files"
    mkfs.ext4 -q -F -d "$tree" "$loop"
    losetup -d "$loop"
    rm -rf "$tree"
    qemu-img convert -O vpc -o subformat=dynamic,force_size=on "$out/ext4.raw" "$out/ext4.vhd.part"
    mv "$out/ext4.vhd.part" "$out/ext4.vhd"
fi
if [ ! -e "$out/members.zip" ]; then
    python3 - "$out/members.zip.part" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as archive:
    for number in range(100_000):
        archive.writestr(f"photos/{number // 1000:03}/{number:06}.jpg", b"\xff\xd8\xff" * 40)
PY
    mv "$out/members.zip.part" "$out/members.zip"
fi
ls -ls "$out"
