"""The vectors of RFC 9180 for DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-128-GCM in base mode, as JSON."""

import json
import sys

import cryptography_vectors

with cryptography_vectors.open_vector_file("HPKE/test-vectors.json", "r") as file:
    vectors = json.load(file)
suite = {"mode": 0, "kem_id": 0x20, "kdf_id": 1, "aead_id": 1}
json.dump([vector for vector in vectors if suite.items() <= vector.items()], sys.stdout)
