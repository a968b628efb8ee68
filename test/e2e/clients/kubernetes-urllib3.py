"""What MinIO's Python package does: everything in the query of a POST, with the cluster's authority; then a signed GET."""
import datetime
import hashlib
import hmac
import json
import os
import urllib.parse
from xml.etree import ElementTree

import urllib3

env = os.environ
with open(env["AWS_WEB_IDENTITY_TOKEN_FILE"]) as file:
    token = file.read().strip()
http = urllib3.PoolManager(ca_certs=env["AWS_CA_BUNDLE"], cert_reqs="CERT_REQUIRED")
query = urllib.parse.urlencode({"Action": "AssumeRoleWithWebIdentity", "Version": "2011-06-15", "WebIdentityToken": token})
answer = http.request("POST", env["AWS_ENDPOINT_URL_STS"] + "?" + query)
if answer.status != 200:
    raise SystemExit(answer.data.decode())
root = ElementTree.fromstring(answer.data)
space = "{https://sts.amazonaws.com/doc/2011-06-15/}"
keys = {child.tag.removeprefix(space): child.text for child in root.iter() if child.text}

endpoint = urllib.parse.urlsplit(env["AWS_ENDPOINT_URL_S3"])
path = "/" + env["BUCKET"] + "/hello"
now = datetime.datetime.utcnow()
date, stamp = now.strftime("%Y%m%d"), now.strftime("%Y%m%dT%H%M%SZ")
empty = hashlib.sha256(b"").hexdigest()
headers = {"host": endpoint.netloc, "x-amz-content-sha256": empty, "x-amz-date": stamp, "x-amz-security-token": keys["SessionToken"]}
names = ";".join(sorted(headers))
canonical = "\n".join(["GET", path, "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, empty])
scope = f"{date}/us-east-1/s3/aws4_request"
text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
key = ("AWS4" + keys["SecretAccessKey"]).encode()
for part in [date, "us-east-1", "s3", "aws4_request"]:
    key = hmac.new(key, part.encode(), hashlib.sha256).digest()
signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={keys['AccessKeyId']}/{scope}, SignedHeaders={names}, Signature={signature}"
got = urllib3.PoolManager().request("GET", endpoint.geturl() + path, headers=headers)
print(json.dumps({"status": got.status, "body": got.data.decode()}))
