"""An AWS KMS of moto at 127.0.0.1: its port is printed, and it ends with its standard input."""

import json
import sys

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto.kms.responses import KmsResponse
from moto.kms.utils import ECDSAPrivateKey
from moto.server import ThreadedMotoServer

DIGESTS = {32: hashes.SHA256(), 48: hashes.SHA384()}


def sign(self, message, signing_algorithm):
    """Signs a digest, which is what every client of ours sends (MessageType DIGEST): moto would hash it once more."""
    return self.private_key.sign(message, ec.ECDSA(utils.Prehashed(DIGESTS[len(message)])))


def get_public_key(self, said=KmsResponse.get_public_key):
    """Says the key's spec by its present name too, as KMS does."""
    answer = json.loads(said(self))
    return json.dumps({**answer, "KeySpec": answer["CustomerMasterKeySpec"]})


ECDSAPrivateKey.sign = sign
KmsResponse.get_public_key = get_public_key

server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
