"""Does S3 calls with boto3, one JSON line each, for boto3.ts."""

import base64
import io
import json
import sys

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

endpoint = sys.argv[1]
s3 = boto3.client(
    "s3",
    endpoint_url=endpoint,
    config=Config(
        signature_version="s3v4",
        retries={"max_attempts": 1, "mode": "standard"},
        s3={"addressing_style": "path"},
    ),
)
sts = boto3.client("sts", endpoint_url=endpoint)
in_parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)


def put(bucket, key, body):
    s3.upload_fileobj(io.BytesIO(base64.b64decode(body)), bucket, key, Config=in_parts)


def get(bucket, key):
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    return base64.b64encode(body).decode()


def list_keys(bucket, prefix):
    pages = s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": 3}
    )
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def list_versions(bucket):
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    return [[found["Key"], found["VersionId"]] for page in pages for found in page.get("Versions", [])]


def remove_all(bucket, keys):
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    return [[gone["Key"] for gone in answer.get("Deleted", [])], answer.get("Errors", [])]


def link(bucket, key):
    return s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key}, ExpiresIn=60)


def web_identity(token):
    answer = sts.assume_role_with_web_identity(
        RoleArn="arn:aws:iam::000000000000:role/any", RoleSessionName="boto3", WebIdentityToken=token
    )
    return answer["Credentials"]["AccessKeyId"]


operations = {
    "make_bucket": lambda bucket: s3.create_bucket(Bucket=bucket) and None,
    "remove_bucket": lambda bucket: s3.delete_bucket(Bucket=bucket) and None,
    "put": put,
    "get": get,
    "list": list_keys,
    "list_versions": list_versions,
    "copy": lambda bucket, source, key: s3.copy({"Bucket": bucket, "Key": source}, bucket, key),
    "remove": lambda bucket, key: s3.delete_object(Bucket=bucket, Key=key) and None,
    "remove_all": remove_all,
    "link": link,
    "form": lambda bucket, key, fields, conditions: s3.generate_presigned_post(
        bucket, key, Fields=fields, Conditions=conditions, ExpiresIn=60
    ),
    "who": lambda: sts.get_caller_identity()["Arn"],
    "web_identity": web_identity,
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"value": operations[asked.pop("operation")](**asked)}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
