"""What of the `aws` command line a ceremony uses of KMS: `kms get-public-key` and `kms sign`, at the address in TEST_KMS."""

import argparse
import base64
import json
import os

import boto3

parser = argparse.ArgumentParser()
parser.add_argument("service", choices=["kms"])
parser.add_argument("verb", choices=["get-public-key", "sign"])
for name in ["region", "key-id", "output", "signing-algorithm", "message-type", "message", "cli-binary-format"]:
    parser.add_argument(f"--{name}")
parser.add_argument("--no-cli-pager", action="store_true")
asked = parser.parse_args()

kms = boto3.client("kms", region_name=asked.region, endpoint_url=os.environ["TEST_KMS"])
if asked.verb == "get-public-key":
    answer = kms.get_public_key(KeyId=asked.key_id)
else:
    answer = kms.sign(
        KeyId=asked.key_id,
        Message=base64.b64decode(asked.message),
        MessageType=asked.message_type,
        SigningAlgorithm=asked.signing_algorithm,
    )
print(json.dumps(answer, default=lambda value: base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)))
