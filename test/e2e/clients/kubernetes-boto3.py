"""What a pod with boto3 does: web identity by hand, then S3 with the three values."""
import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

env = os.environ
with open(env["AWS_WEB_IDENTITY_TOKEN_FILE"]) as file:
    token = file.read()
sts = boto3.client("sts", endpoint_url=env["AWS_ENDPOINT_URL_STS"], region_name="us-east-1", verify=env["AWS_CA_BUNDLE"])
policy = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:PutObject"], "Resource": ["arn:aws:s3:::photos", "arn:aws:s3:::photos/*"]}
    ],
}
answer = sts.assume_role_with_web_identity(
    RoleArn="arn:aws:iam::111111111:dummyroot",
    RoleSessionName="optional-name",
    Policy=json.dumps(policy),
    DurationSeconds=25536,
    WebIdentityToken=token,
)
keys = answer["Credentials"]
s3 = boto3.client(
    "s3",
    endpoint_url=env["AWS_ENDPOINT_URL_S3"],
    region_name="us-east-1",
    aws_access_key_id=keys["AccessKeyId"],
    aws_secret_access_key=keys["SecretAccessKey"],
    aws_session_token=keys["SessionToken"],
    config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
)
listed = [item["Key"] for item in s3.list_objects_v2(Bucket=env["BUCKET"])["Contents"]]
try:
    s3.put_object(Bucket=env["BUCKET"], Key="new", Body=b"x")
    put = "allowed"
except ClientError as error:
    put = error.response["Error"]["Code"]
print(json.dumps({"keys": listed, "put": put}))
