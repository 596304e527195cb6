"""Mints tokens of every kind with Azure's own libraries, with random keys, names and times.

Prints a JSON list: kind, account, key, url, permissions (how many), start and expiry. The seed
is the first argument, so that a failure can be repeated.
"""

import base64
import datetime
import json
import random
import sys

from azure.data.tables import TableSasPermissions, generate_table_sas
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import (
    AccountSasPermissions,
    BlobSasPermissions,
    ContainerSasPermissions,
    ResourceTypes,
    Services,
    UserDelegationKey,
    generate_account_sas,
    generate_blob_sas,
    generate_container_sas,
)
from azure.storage.filedatalake import generate_directory_sas
from azure.storage.fileshare import generate_file_sas, generate_share_sas
from azure.storage.queue import generate_queue_sas

chance = random.Random(int(sys.argv[1]))
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
out = []


def name(length):
    return "".join(chance.choice(LETTERS) for _ in range(length))


def some(letters):
    kept = [letter for letter in letters if chance.random() < 0.5]
    return "".join(kept) or letters[0]


for _ in range(40):
    account = "a" + name(chance.randint(3, 20))
    key = base64.b64encode(bytes(chance.randrange(256) for _ in range(64))).decode()
    container = name(8)
    path = chance.choice([name(5), f"{name(3)}/{name(4)} {name(2)}", f"{name(2)}+{name(2)}%é.bin"])
    start = datetime.datetime(2020, 1, 1) + datetime.timedelta(seconds=chance.randrange(10**8))
    end = start + datetime.timedelta(seconds=chance.randrange(60, 10**9))
    expires = end.strftime("%Y-%m-%dT%H:%M:%SZ")
    more = {}
    if chance.random() < 0.5:
        more["start"] = start
    if chance.random() < 0.5:
        more["protocol"] = "https"
    if chance.random() < 0.3:
        more["ip"] = "192.0.2.1-192.0.2.9"

    def add(kind, service, where, token, letters):
        from urllib.parse import quote

        host = f"https://{account}.{service}.core.windows.net"
        url = f"{host}/{quote(where)}?{token}"
        out.append(dict(kind=kind, account=account, key=key, url=url, where=where,
                        letters=len(letters), expires=expires))

    letters = some("rwdlacup")
    token = generate_account_sas(
        account, key, ResourceTypes.from_string(some("sco")), AccountSasPermissions.from_string(letters),
        end, services=Services.from_string(some("bqf")), **more)
    add("account", "blob", "", token, letters)
    letters = some("racwd")
    add("blob", "blob", f"{container}/{path}", generate_blob_sas(
        account, container, path, account_key=key,
        permission=BlobSasPermissions.from_string(letters), expiry=end, **more), letters)
    headers = dict(content_type="text/plain", content_disposition="attachment; filename=a.txt")
    add("blob", "blob", f"{container}/{path}", generate_blob_sas(
        account, container, path, account_key=key, permission=BlobSasPermissions.from_string("r"),
        expiry=end, **headers, **more), "r")
    letters = some("racwdl")
    add("container", "blob", container, generate_container_sas(
        account, container, account_key=key,
        permission=ContainerSasPermissions.from_string(letters), expiry=end, **more), letters)
    letters = some("rcwdl")
    add("share", "file", container, generate_share_sas(
        account, container, account_key=key, permission=letters, expiry=end, **more), letters)
    letters = some("rcwd")
    add("file", "file", f"{container}/{path}", generate_file_sas(
        account, container, path.split("/"), account_key=key, permission=letters, expiry=end,
        **more), letters)
    letters = some("raup")
    add("queue", "queue", container, generate_queue_sas(
        account, container, key, permission=letters, expiry=end, **more), letters)
    add("table", "table", container, generate_table_sas(
        AzureNamedKeyCredential(account, key), container,
        permission=TableSasPermissions.from_string("r"), expiry=end), "r")
    folder = f"{name(3)}/{name(3)}"
    letters = some("rl")
    add("directory", "dfs", f"{container}/{folder}", generate_directory_sas(
        account, container, folder, key, permission=letters, expiry=end, **more), letters)

    delegation = UserDelegationKey()
    delegation.signed_oid = delegation.signed_tid = "00000000-0000-0000-0000-00000000000a"
    delegation.signed_start = start.strftime("%Y-%m-%dT%H:%M:%SZ")
    delegation.signed_expiry = expires
    delegation.signed_service = "b"
    delegation.signed_version = "2022-11-02"
    delegation.value = key
    add("delegation", "blob", container, generate_container_sas(
        account, container, user_delegation_key=delegation,
        permission=ContainerSasPermissions.from_string("rl"), expiry=end, **more), "rl")

print(json.dumps(out))
