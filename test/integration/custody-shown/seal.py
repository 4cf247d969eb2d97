"""Random messages that pyhpke seals to a public key: `seal.py PUBLIC_KEY COUNT BATCH`, one line of JSON for each batch."""

import json
import sys
from base64 import b64encode
from os import urandom
from secrets import randbelow

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from pyhpke import AEADId, CipherSuite, KDFId, KEMId, KEMKey

TELEMETRY = b"trustkern/telemetry/v1"
SUITE = CipherSuite.new(KEMId.DHKEM_X25519_HKDF_SHA256, KDFId.HKDF_SHA256, AEADId.AES128_GCM)


def random_bytes(longest):
    return urandom(randbelow(longest + 1))


def sealed(recipient):
    info = random_bytes(64) if randbelow(2) else TELEMETRY
    aad = random_bytes(256)
    plaintext = random_bytes(1024)
    enc, context = SUITE.create_sender_context(recipient, info=info)
    ciphertext = context.seal(plaintext, aad=aad)
    message = {"enc": enc, "info": info, "aad": aad, "ciphertext": ciphertext, "plaintext": plaintext}
    return {name: b64encode(value).decode() for name, value in message.items()}


public_key, count, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
recipient = KEMKey.from_pyca_cryptography_key(X25519PublicKey.from_public_bytes(bytes.fromhex(public_key)))
for start in range(0, count, batch):
    print(json.dumps([sealed(recipient) for _ in range(min(batch, count - start))]))
