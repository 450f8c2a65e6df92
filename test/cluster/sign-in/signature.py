"""Prints the signature that AWS's own library gives a request, read as JSON from the argument."""
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

asked = json.loads(sys.argv[1])
headers = asked["headers"]
signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
request = AWSRequest(
    method=asked["method"],
    url=asked["url"],
    data=asked["body"].encode(),
    headers={name: headers[name] for name in signed if name != "host"},
)
request.context["timestamp"] = headers["x-amz-date"]
credentials = Credentials(
    asked["AWS_ACCESS_KEY_ID"], asked["AWS_SECRET_ACCESS_KEY"], asked["AWS_SESSION_TOKEN"]
)
auth = SigV4Auth(credentials, asked["service"], "eu-west-1")
print(auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request))
