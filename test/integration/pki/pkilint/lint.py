"""Reads `[{"name", "kind", "pem"}]`, where kind is certificate, CRL or ARL and a certificate may name its issuer's PEM in
"issuer", and prints every finding of pkilint at every severity, as `[{"name", "severity", "code", "path", "message"}]`."""

import json
import sys

from pkilint import loader, pkix
from pkilint.bin import lint_pkix_signer_signee_cert_chain as chain
from pkilint.pkix import certificate, crl, extension, name


def certificate_validator():
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def crl_validator():
    return crl.create_pkix_crl_validator_container(
        [
            pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
            pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        ],
        [
            crl.create_issuer_validator_container([]),
            crl.create_validity_validator_container([]),
            crl.create_extensions_validator_container([]),
        ],
    )


CERTIFICATES = loader.RFC5280CertificateDocumentLoader()
CRLS = loader.RFC5280CertificateListDocumentLoader()


def lint_certificate(document):
    return certificate_validator().validate(CERTIFICATES.load_pem_document(document["pem"], document["name"]).root)


def lint_chain(document):
    known = {}
    for which, pem in (("issuer", document["issuer"]), ("subject", document["pem"])):
        known[which] = CERTIFICATES.load_pem_document(pem, which, which, known)
    decoding = chain.create_decoder_validation_container()
    results = decoding.validate(known["issuer"].root)
    results += decoding.validate(known["subject"].root)
    results += chain.create_issuer_validation_container().validate(known["issuer"].root)
    results += chain.create_subject_validation_container().validate(known["subject"].root)
    return results


def lint_crl(document):
    return crl_validator().validate(CRLS.load_pem_document(document["pem"], document["name"]).root)


def lint(document):
    if document["kind"] != "certificate":
        return lint_crl(document)
    return lint_certificate(document) + (lint_chain(document) if "issuer" in document else [])


def findings(document):
    try:
        results = lint(document)
    except ValueError as error:
        return [finding(document, "FATAL", "loader", "", str(error))]
    return [
        finding(document, str(each.finding.severity), each.finding.code, result.node.path, each.message)
        for result in results
        for each in result.finding_descriptions
    ]


def finding(document, severity, code, path, message):
    return {"name": document["name"], "severity": severity, "code": code, "path": path, "message": message or ""}


json.dump([each for document in json.load(sys.stdin) for each in findings(document)], sys.stdout)
