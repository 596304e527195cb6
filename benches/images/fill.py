"""Fills a mounted file system like a machine that was used: FILES files of lognormal sizes, in
shuffled order over many folders, with keys and hives at their places.

Usage: fill.py ROOT windows|linux FILES
"""
import os
import random
import sys

root, system, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
numbers = random.Random(38)
noise = numbers.randbytes(1 << 20)


def put(path, content):
    where = os.path.join(root, path)
    os.makedirs(os.path.dirname(where), exist_ok=True)
    with open(where, "wb") as file:
        file.write(content)


home = "Users/alice" if system == "windows" else "home/alice"
key = b"-----BEGIN OPENSSH PRIVATE KEY-----\n" + b"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB" * 8
put(f"{home}/.ssh/id_rsa", key + b"\n-----END OPENSSH PRIVATE KEY-----\n")
put(f"{home}/.aws/credentials", b"[default]\naws_access_key_id = AKIA" + b"EXAMPLEEXAMPLEEX\n")
if system == "windows":
    for name in ("SYSTEM", "SOFTWARE", "SAM", "SECURITY"):
        put(f"Windows/System32/config/{name}", b"regf" + bytes(60) + noise[:200_000])
    put(f"{home}/NTUSER.DAT", b"regf" + bytes(60) + noise[:100_000])
else:
    put("etc/shadow", b"root:*:18000:0:99999:7:::\n")
    put("etc/hostname", b"ws-alice-01\n")

kinds = ["dll", "exe", "txt", "xml", "json", "png", "js", "log", "dat", "mui", "h", "py", "md"]
tops = ["Windows", "Program Files", "ProgramData", home] if system == "windows" else ["usr", "opt", "var", home]
folders = []
for number in range(max(1, count // 11)):
    parent = numbers.choice(folders) if folders and numbers.random() < 0.8 else numbers.choice(tops)
    if parent.count("/") > 9:
        parent = numbers.choice(tops)
    folders.append(f"{parent}/folder{number:05}")
made = set()
for number in range(count):
    folder = numbers.choice(folders)
    where = os.path.join(root, folder)
    if folder not in made:
        os.makedirs(where, exist_ok=True)
        made.add(folder)
    size = min(int(numbers.lognormvariate(8, 1.8)), 96 << 10)
    begin = numbers.randrange(len(noise) - size)
    with open(f"{where}/file{number:06}.{numbers.choice(kinds)}", "wb") as file:
        file.write(noise[begin : begin + size])
